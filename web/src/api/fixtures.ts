/** Made-up objects of the wire, for unit tests. */

import type { Channel, Member, MemberChange, Message, Ready, User, UserSummary } from "./types";

export const alice: UserSummary = { id: "1", username: "alice", display_name: "Alice" };
export const bob: UserSummary = { id: "2", username: "bob", display_name: "Bob" };
export const general = "10";

export function message(seq: number, change: Partial<Message> = {}): Message {
  return {
    id: `m${seq}`,
    channel_id: general,
    seq,
    version: seq,
    author: bob,
    user: change.author ?? bob,
    content: `message ${seq}`,
    created_at: "2026-11-20T09:00:00.000Z",
    reactions: [],
    mentions: [],
    pinned: false,
    files: [],
    ...change,
  };
}

export function channel(change: Partial<Channel> = {}): Channel {
  return {
    id: general,
    workspace_id: "20",
    kind: "public",
    name: "general",
    topic: "",
    is_default: true,
    member_count: 2,
    last_seq: 0,
    version: 0,
    created_at: "2026-11-20T09:00:00.000Z",
    ...change,
  };
}

export function joined(change: Partial<Channel> = {}): Channel {
  return channel({
    joined: true,
    last_read_seq: 0,
    unread_count: 0,
    mention_count: 0,
    unread_mentions: [],
    ...change,
  });
}

export function member(user: UserSummary): Member {
  return { user, role: "member", joined_at: "2026-11-20T09:00:00.000Z" };
}

export function memberChange(
  action: MemberChange["action"],
  user: UserSummary,
  version: number,
): MemberChange {
  return { action, workspace_id: "20", channel_id: general, member: member(user), version };
}

export function ready(change: Partial<Ready> = {}): Ready {
  const user: User = { ...alice, guest: false, created_at: "2026-11-20T09:00:00.000Z" };
  return {
    session_id: "c1",
    user,
    heartbeat_interval_ms: 30_000,
    server_time: "2026-11-20T09:00:00.000Z",
    workspaces: [],
    channels: [joined()],
    presence: [],
    online: [],
    users_version: 0,
    changes: [],
    resync: [],
    notifications: { unread: 0, version: 0 },
    ...change,
  };
}
