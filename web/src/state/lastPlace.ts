/** The channel one was in last, to begin there the next time. */

import { read, write } from "../api/storage";

export function readLastPlace(userId: string): string | null {
  return read(`madang.place.${userId}`);
}

export function writeLastPlace(userId: string, channelId: string): void {
  write(`madang.place.${userId}`, channelId);
}
