/** Whether people are there, and how many where they are only counted. */

import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, type RefObject } from "react";

import { onlineQuery, presenceQuery } from "../api/queries";
import type { Presence } from "../api/types";
import { useSync } from "./context";

const none: Record<string, Presence> = {};

export function usePresence(): Record<string, Presence> {
  return useQuery({ ...presenceQuery, enabled: false }).data ?? none;
}

/** How many of a workspace are there, where that is all that is told; `undefined` where all are named. */
export function useCounted(workspaceId: string): number | undefined {
  const online = useQuery({ ...onlineQuery, enabled: false }).data?.[workspaceId];
  return online?.named === false ? online.online : undefined;
}

/** Watches someone while the element with this ref is on the screen, where people are only counted. */
export function useWatchedRow<Row extends Element>(userId: string, counted: boolean): RefObject<Row | null> {
  const { watching } = useSync();
  const row = useRef<Row>(null);
  useEffect(() => {
    if (!counted || row.current === null) return undefined;
    let seen = false;
    const see = (now: boolean) => {
      if (now === seen) return;
      seen = now;
      if (now) watching.add(userId);
      else watching.remove(userId);
    };
    const observer = new IntersectionObserver((entries) => see(entries.at(-1)?.isIntersecting === true));
    observer.observe(row.current);
    return () => {
      observer.disconnect();
      see(false);
    };
  }, [watching, userId, counted]);
  return row;
}
