/** Whether people are there. */

import { useQuery } from "@tanstack/react-query";

import { presenceQuery } from "../api/queries";
import type { Presence } from "../api/types";

const none: Record<string, Presence> = {};

export function usePresence(): Record<string, Presence> {
  return useQuery({ ...presenceQuery, enabled: false }).data ?? none;
}
