/** Who may do what, as the server decides it: what one may not do is not offered. */

import type { Channel, Role } from "../api/types";
import { isDirect } from "./names";

const rank: Record<Role, number> = { guest: 0, member: 1, admin: 2, owner: 3 };

function atLeast(role: Role | undefined, least: Role): boolean {
  return role !== undefined && rank[role] >= rank[least];
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
  return !isDirect(channel) && atLeast(role, "admin");
}

/** Whether `actor` may give or take the role `target`, the larger of the old and the new one. */
export function mayAssign(actor: Role | undefined, target: Role): boolean {
  return actor === "owner" || (actor === "admin" && !atLeast(target, "admin"));
}
