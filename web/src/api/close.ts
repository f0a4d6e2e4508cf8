/** Why a connection ended, and whether to come back by oneself. */

import type { FailureCode } from "./errors";

/** Named as the texts for it are. */
export type LostReason =
  | "offline"
  | "unreachable"
  | "restarting"
  | "silent"
  | "too_slow"
  | "fault"
  | "too_many_frames"
  | "unauthenticated"
  | "session_ended"
  | "protocol"
  | "too_large"
  | "no_hello"
  | "access_ended"
  | "unknown";

const byCode = new Map<number, LostReason>([
  [4000, "restarting"],
  [4001, "silent"],
  [4002, "too_slow"],
  [4003, "fault"],
  [4004, "too_many_frames"],
  [4100, "unauthenticated"],
  [4101, "session_ended"],
  [4102, "protocol"],
  [4103, "too_large"],
  [4104, "no_hello"],
  [4105, "access_ended"],
]);

/** `wasReady`: whether the connection had got as far as `READY`. */
export function lostReason(code: number, wasReady: boolean): LostReason {
  const known = byCode.get(code);
  if (known !== undefined) return known;
  return wasReady ? "unknown" : "unreachable";
}

/** Codes from 4100 to 4199 mean that coming back without a change is of no use. */
export function mayReturn(code: number): boolean {
  return code < 4100 || code > 4199;
}

/** Why a token could not be had before connecting. */
export function reasonOf(code: FailureCode): LostReason {
  return code === "network" ? "unreachable" : "fault";
}
