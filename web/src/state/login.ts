/** The login as components see it, and the end of it. */

import { useSyncExternalStore } from "react";

import { logout } from "../api/requests";
import { currentLogin, onLoginChange, signOut, type Login } from "../api/session";
import { clearDrafts } from "./drafts";
import { clearOutbox } from "./outbox";

export function useLogin(): Login | undefined {
  return useSyncExternalStore(onLoginChange, currentLogin);
}

let leaving = false;

/** Whether the login ends by the user's own wish. */
export function isLeaving(): boolean {
  return leaving;
}

/** Signs out by the user's wish: nothing of theirs stays in this browser. */
export async function leave(userId: string): Promise<void> {
  try {
    await logout();
  } catch {
    // The server hears of it when the session ends by itself.
  }
  leaving = true;
  signOut();
  leaving = false;
  clearOutbox(userId);
  clearDrafts(userId);
}
