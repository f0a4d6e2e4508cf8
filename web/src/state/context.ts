/** What components reach the running connection and outbox by. */

import { createContext, use } from "react";

import type { Sync } from "./sync";

export const SyncContext = createContext<Sync | undefined>(undefined);

export function useSync(): Sync {
  const sync = use(SyncContext);
  if (sync === undefined) throw new Error("Nobody is signed in here");
  return sync;
}

export function useMyId(): string {
  return useSync().userId;
}
