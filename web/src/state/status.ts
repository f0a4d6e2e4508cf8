/** What people say of themselves, as it is shown and as it is said. */

import type { Presence, UserStatus } from "../api/types";

/** Minutes after which what one says goes by itself, to choose from. */
export const durations = [30, 60, 240, 1_440] as const;

/** For how long: for good, as it was said before, or so many minutes. */
export type Duration = "always" | "kept" | (typeof durations)[number];

/** The emoji and the words, on one line; empty where there are none. */
export function statusText(presence: Presence | undefined): string {
  return [presence?.emoji, presence?.custom_status].filter((part) => part !== undefined).join(" ");
}

export interface Said {
  status: UserStatus["status"];
  words: string;
  emoji: string;
  duration: Duration;
}

/** When something of what is said goes by itself. */
export function endOf(presence: Presence | undefined): string | undefined {
  return presence?.expires_at ?? presence?.dnd_until;
}

/** What to say to the server. One end is for the words and for not being disturbed. */
export function statusBody(
  { status, words, emoji, duration }: Said,
  before: Presence | undefined,
  now: Date,
): UserStatus {
  const custom_status = words.trim();
  const symbol = emoji.trim();
  const end =
    duration === "always"
      ? undefined
      : duration === "kept"
        ? endOf(before)
        : new Date(now.getTime() + duration * 60_000).toISOString();
  const says = custom_status !== "" || symbol !== "";
  return {
    status,
    ...(custom_status === "" ? {} : { custom_status }),
    ...(symbol === "" ? {} : { emoji: symbol }),
    ...(says && end !== undefined ? { expires_at: end } : {}),
    ...(status === "dnd" && end !== undefined ? { dnd_until: end } : {}),
  };
}
