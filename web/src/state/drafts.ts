/** What one has begun to write, by channel, kept over reloads in the browser's storage. */

import { keysFrom, read, remove, write } from "../api/storage";

const PREFIX = "madang.draft.";

function key(userId: string, channelId: string): string {
  return `${PREFIX}${userId}.${channelId}`;
}

export function readDraft(userId: string, channelId: string): string {
  return read(key(userId, channelId)) ?? "";
}

export function writeDraft(userId: string, channelId: string, text: string): void {
  if (text === "") remove(key(userId, channelId));
  else write(key(userId, channelId), text);
}

export function clearDrafts(userId: string): void {
  for (const draft of keysFrom(`${PREFIX}${userId}.`)) remove(draft);
}
