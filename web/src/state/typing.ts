/** Who is typing where. Each notice ends by itself after six seconds without a repetition. */

import { create } from "zustand";

import type { Typing } from "../api/types";

const LASTS_MS = 6_000;

type Channels = Readonly<Record<string, readonly string[]>>;

/** The users who type now, by channel, in the order in which they began. */
export const useTypingStore = create<{ channels: Channels }>(() => ({ channels: {} }));

const timers = new Map<string, ReturnType<typeof setTimeout>>();

function set(channelId: string, change: (users: readonly string[]) => readonly string[]): void {
  useTypingStore.setState(({ channels }) => ({
    channels: { ...channels, [channelId]: change(channels[channelId] ?? []) },
  }));
}

export function noteTyping({ channel_id, user_id, typing }: Typing): void {
  const key = `${channel_id} ${user_id}`;
  clearTimeout(timers.get(key));
  timers.delete(key);
  const stop = () => set(channel_id, (users) => users.filter((id) => id !== user_id));
  if (!typing) {
    stop();
    return;
  }
  set(channel_id, (users) => (users.includes(user_id) ? users : [...users, user_id]));
  timers.set(key, setTimeout(stop, LASTS_MS));
}

export function forgetTyping(): void {
  for (const timer of timers.values()) clearTimeout(timer);
  timers.clear();
  useTypingStore.setState({ channels: {} });
}
