/** One sync per login: begun when someone signs in, in this tab or another, ended when they sign out. */

import type { QueryClient } from "@tanstack/react-query";
import i18next from "i18next";
import { create } from "zustand";

import { currentLogin, onLoginChange, type Login } from "../api/session";
import { isLeaving } from "./login";
import { notify } from "./notices";
import { startSync, type Sync } from "./sync";

export const useRunningStore = create<{ sync: Sync | undefined }>(() => ({ sync: undefined }));

let sessionId: string | undefined;

export function followLogin(client: QueryClient): void {
  const follow = (login: Login | undefined) => {
    if (login?.sessionId === sessionId) return; // Only the tokens were renewed.
    sessionId = login?.sessionId;
    const { sync } = useRunningStore.getState();
    sync?.stop();
    if (login === undefined && sync !== undefined && !isLeaving()) notify(i18next.t("auth.sessionEnded"));
    useRunningStore.setState({ sync: login === undefined ? undefined : startSync(client, login) });
  };
  onLoginChange(follow);
  follow(currentLogin());
}
