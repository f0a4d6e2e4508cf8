/** What a channel is called: by its name, or a direct message by the others in it. */

import type { Channel } from "../api/types";

export function isDirect({ kind }: Pick<Channel, "kind">): boolean {
  return kind === "dm" || kind === "group";
}

/** The name without a mark in front. */
export function nameOf(channel: Channel, me: string): string {
  if (!isDirect(channel)) return channel.name;
  const people = channel.people ?? [];
  const others = people.length === 1 ? people : people.filter(({ id }) => id !== me);
  return others.map((user) => user.display_name).join(", ");
}

/** The name as a title. */
export function titleOf(channel: Channel, me: string): string {
  return isDirect(channel) ? nameOf(channel, me) : `#${channel.name}`;
}
