/** The login as components see it, and the end of it. */

import { useSyncExternalStore } from "react";

import { logout } from "../api/requests";
import { currentLogin, onLoginChange, signOut, type Login } from "../api/session";
import { clearDrafts } from "./drafts";
import { clearOutbox } from "./outbox";

export function useLogin(): Login | undefined {
  return useSyncExternalStore(onLoginChange, currentLogin);
}

/** Signs out by the user's wish: nothing of theirs stays in this browser. */
export async function leave(userId: string): Promise<void> {
  try {
    await logout();
  } catch {
    // The server hears of it when the session ends by itself.
  }
  signOut();
  clearOutbox(userId);
  clearDrafts(userId);
}
