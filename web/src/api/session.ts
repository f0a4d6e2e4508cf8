/**
 * The login of this browser: its tokens, shared by all tabs.
 *
 * A refresh token is good for one use, and using an old one ends the session. So only one tab at a
 * time refreshes (a Web Lock), and it looks first whether another has just done it.
 *
 * Invariants:
 * - Tabs hear of each other's changes by `storage` events; these may be late, so whoever renews asks
 *   the vault, which is not.
 * - A refused refresh signs out only if the refused token is still the newest one.
 */

import { ApiError, asApiError, errorFrom } from "./errors";
import { exclusively } from "./locks";
import { onOtherTab, read, remove, write } from "./storage";
import { fromServer, isRecord, parseJson } from "./trust";
import type { SignedIn } from "./types";
import { clearVault, readVault, writeVault } from "./vault";

export interface Login {
  userId: string;
  sessionId: string;
  accessToken: string;
  refreshToken: string;
  /** When the access token ends, by this device's clock. */
  expiresAt: number;
  /** How often its tokens were renewed: tells the newest state from an older one. */
  renewals: number;
}

const KEY = "madang.login";
/** An access token is renewed when it has less than this left. */
const MARGIN_MS = 60_000;

type Listener = (login: Login | undefined) => void;
const listeners = new Set<Listener>();

function isLogin(value: unknown): value is Login {
  return (
    isRecord(value) &&
    typeof value["userId"] === "string" &&
    typeof value["sessionId"] === "string" &&
    typeof value["accessToken"] === "string" &&
    typeof value["refreshToken"] === "string" &&
    typeof value["expiresAt"] === "number" &&
    typeof value["renewals"] === "number"
  );
}

let cachedText: string | null = null;
let cached: Login | undefined;

/** Who is signed in; the same object as long as nothing changed. */
export function currentLogin(): Login | undefined {
  const text = read(KEY);
  if (text !== cachedText) {
    const value = text === null ? undefined : parseJson(text);
    cached = isLogin(value) ? value : undefined;
    cachedText = text;
  }
  return cached;
}

function tell(): void {
  const login = currentLogin();
  for (const listener of listeners) listener(login);
}

/** Hears of every change, of this tab and of others. Gives what ends the hearing. */
export function onLoginChange(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

onOtherTab((key) => {
  if (key === KEY || key === undefined) tell();
});

function keep(login: Login): void {
  write(KEY, JSON.stringify(login));
  tell();
}

export function signIn(signedIn: SignedIn): Login {
  const before = currentLogin();
  const login: Login = {
    userId: signedIn.user.id,
    sessionId: signedIn.session_id,
    accessToken: signedIn.access_token,
    refreshToken: signedIn.refresh_token,
    expiresAt: Date.now() + signedIn.expires_in * 1000,
    renewals: before?.sessionId === signedIn.session_id ? before.renewals + 1 : 0,
  };
  keep(login);
  return login;
}

export function signOut(): void {
  remove(KEY);
  tell();
  void clearVault(KEY);
}

function lasts(login: Login): boolean {
  return login.expiresAt - Date.now() > MARGIN_MS;
}

/** A token that is good for a while yet, renewed if need be; `undefined` when nobody is signed in. */
export async function accessToken(): Promise<string | undefined> {
  const login = currentLogin();
  if (login === undefined) return undefined;
  return lasts(login) ? login.accessToken : renewUnless(lasts);
}

/**
 * A newer token than `refused`, which the server did not take; `undefined` when the session is over.
 * Throws when the server cannot be reached.
 */
export function refresh(refused: string): Promise<string | undefined> {
  return renewUnless((login) => login.accessToken !== refused);
}

/** The login as the last tab left it that renewed it; this one may not have heard of it yet. */
async function newestLogin(): Promise<Login | undefined> {
  const kept = await readVault(KEY);
  const login = currentLogin();
  if (login === undefined || !isLogin(kept)) return login;
  if (kept.sessionId !== login.sessionId || kept.renewals <= login.renewals) return login;
  keep(kept);
  return kept;
}

/** Renews the login, unless another tab has just done it. */
function renewUnless(isNew: (login: Login) => boolean): Promise<string | undefined> {
  return exclusively("madang.refresh", async () => {
    const login = await newestLogin();
    if (login === undefined) return undefined;
    if (isNew(login)) return login.accessToken;
    const answer = await post(login.refreshToken);
    if (answer instanceof ApiError) {
      if (answer.code !== "unauthenticated" && answer.code !== "invalid") throw answer;
      if (currentLogin()?.refreshToken === login.refreshToken) signOut();
      return undefined;
    }
    // Signed out meanwhile, or as someone else: these tokens are nobody's here.
    if (currentLogin()?.sessionId !== login.sessionId) return currentLogin()?.accessToken;
    await writeVault(KEY, signIn(answer));
    return answer.access_token;
  });
}

async function post(refreshToken: string): Promise<SignedIn | ApiError> {
  try {
    const response = await fetch("/api/v1/auth/refresh", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ refresh_token: refreshToken }),
    });
    const body = parseJson(await response.text());
    if (response.ok && fromServer<SignedIn>(body)) return body;
    return errorFrom(body, response.status, response.headers.get("Retry-After"));
  } catch (error) {
    return asApiError(error);
  }
}
