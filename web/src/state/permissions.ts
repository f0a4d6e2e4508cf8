/** Who may do what, as the server decides it: what one may not do is not offered. */

import type { Channel, Override, Role } from "../api/types";
import { isDirect } from "./names";

const rank: Record<Role, number> = {
  visitor: 0,
  guest: 1,
  member: 2,
  moderator: 3,
  admin: 4,
  owner: 5,
};

function atLeast(role: Role | undefined, least: Role): boolean {
  return role !== undefined && rank[role] >= rank[least];
}

/** What there is in the workspace besides one's own channels, and who. */
export function mayLookAround(role: Role | undefined): boolean {
  return atLeast(role, "guest");
}

export function mayCreateChannel(role: Role | undefined): boolean {
  return atLeast(role, "member");
}

export function mayOpenDirect(role: Role | undefined): boolean {
  return atLeast(role, "member");
}

/** Settings and members of the workspace. */
export function mayKeepWorkspace(role: Role | undefined): boolean {
  return atLeast(role, "admin");
}

export function mayAddEmoji(role: Role | undefined): boolean {
  return atLeast(role, "member");
}

/** One's own, or anyone's. */
export function mayDeleteEmoji(role: Role | undefined, own: boolean): boolean {
  return own || atLeast(role, "moderator");
}

export function mayInvite(role: Role | undefined, channel: Channel): boolean {
  if (isDirect(channel)) return false;
  return (channel.joined === true && atLeast(role, "member")) || atLeast(role, "admin");
}

/** Change or delete the channel, put someone out. */
export function mayManage(role: Role | undefined, channel: Channel, me: string): boolean {
  if (isDirect(channel)) return false;
  const creator = channel.created_by === me && channel.joined === true;
  return (creator && atLeast(role, "member")) || atLeast(role, "admin");
}

/** Delete other people's messages. */
export function mayModerate(role: Role | undefined, channel: Channel): boolean {
  return !isDirect(channel) && atLeast(role, "moderator");
}

/** Make and end guest links. */
export function mayLinkGuests(role: Role | undefined, channel: Channel): boolean {
  return mayModerate(role, channel) && mayInvite(role, channel);
}

/** Whether the channel itself lets `me` write: what it says of a person counts before what it says of roles. */
export function mayWrite(role: Role | undefined, channel: Channel, me: string): boolean {
  const says = (list: "allow" | "deny", of: (entry: Override) => boolean) =>
    (channel.overrides ?? []).some((entry) => of(entry) && entry[list]?.includes("write") === true);
  const mine = ({ user_id }: Override) => user_id === me;
  if (atLeast(role, "admin")) return true;
  if (says("deny", mine)) return false;
  return says("allow", mine) || !says("deny", (entry) => atLeast(entry.role, role ?? "guest"));
}

/** Whether `actor` may give or take the role `target`, the larger of the old and the new one. */
export function mayAssign(actor: Role | undefined, target: Role): boolean {
  return actor === "owner" || (actor === "admin" && !atLeast(target, "admin"));
}
