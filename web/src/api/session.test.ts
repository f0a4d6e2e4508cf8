/** Tokens: renewed in time, by one tab, once. */
import { beforeEach, expect, test, vi } from "vitest";

import { request } from "./http";
import { accessToken, currentLogin, refresh, signIn, signOut } from "./session";
import type { SignedIn } from "./types";

const signedIn = (token: string, expires_in = 900): SignedIn => ({
  user: { id: "1", username: "a", display_name: "A", guest: false, created_at: "2026-11-20T09:00:00Z" },
  session_id: "s",
  access_token: token,
  refresh_token: `refresh-${token}`,
  expires_in,
});

let calls: string[];

/** Answers by `METHOD path`; a refresh gives the token `new`. */
function server(answers: Record<string, () => Response> = {}): void {
  vi.stubGlobal("fetch", (path: string, init: RequestInit) => {
    const call = `${init.method ?? "GET"} ${path.replace("/api/v1", "")}`;
    calls.push(call);
    const token = new Headers(init.headers).get("Authorization") ?? "";
    const answer = answers[`${call} ${token}`] ?? answers[call];
    if (answer !== undefined) return Promise.resolve(answer());
    if (call === "POST /auth/refresh") return Promise.resolve(Response.json(signedIn("new")));
    return Promise.resolve(Response.json({}));
  });
}

const problem = (status: number, code: string) => () => Response.json({ code, detail: "no" }, { status });

beforeEach(() => {
  localStorage.clear();
  calls = [];
  server();
});

test("a token that lasts is used, one that ends is renewed once for all who ask", async () => {
  signIn(signedIn("old"));
  expect(await accessToken()).toBe("old");
  signIn(signedIn("old", 30));
  expect(await Promise.all([accessToken(), accessToken(), accessToken()])).toEqual(["new", "new", "new"]);
  expect(calls).toEqual(["POST /auth/refresh"]);
  expect(currentLogin()?.refreshToken).toBe("refresh-new");
});

test("what another tab has renewed is not renewed again", async () => {
  signIn(signedIn("newer"));
  expect(await refresh("old")).toBe("newer");
  expect(calls).toEqual([]);
});

test("a refused refresh signs out, a lost one does not", async () => {
  signIn(signedIn("old"));
  server({ "POST /auth/refresh": problem(503, "unavailable") });
  await expect(refresh("old")).rejects.toMatchObject({ code: "unavailable" });
  expect(currentLogin()).toBeDefined();
  server({ "POST /auth/refresh": problem(401, "unauthenticated") });
  expect(await refresh("old")).toBeUndefined();
  expect(currentLogin()).toBeUndefined();
});

test("signing out while a refresh is under way stays", async () => {
  signIn(signedIn("old"));
  const renewed = refresh("old");
  signOut();
  await renewed;
  expect(currentLogin()).toBeUndefined();
});

test("a refused token is renewed and the request repeated", async () => {
  signIn(signedIn("old"));
  server({
    "GET /x Bearer old": problem(401, "unauthenticated"),
    "GET /x Bearer new": () => Response.json({ fine: true }),
  });
  expect(await request("GET", "/x")).toEqual({ fine: true });
  expect(calls).toEqual(["GET /x", "POST /auth/refresh", "GET /x"]);
});

test("failures are told as what they are", async () => {
  signIn(signedIn("old"));
  server({
    "GET /limit": () => new Response("", { status: 429, headers: { "Retry-After": "3" } }),
    "GET /proxy": () => new Response("<html>", { status: 502 }),
    "GET /page": () => new Response("<html>"),
  });
  await expect(request("GET", "/limit")).rejects.toMatchObject({ code: "rate_limited", retryAfter: 3 });
  await expect(request("GET", "/proxy")).rejects.toMatchObject({ code: "unavailable", temporary: true });
  await expect(request("GET", "/page")).rejects.toMatchObject({ code: "unavailable" });
});
