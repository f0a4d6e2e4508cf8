/**
 * The wire: what the server and the client say to each other.
 *
 * Ids are decimal strings (they do not fit a JavaScript number), times RFC 3339 in UTC.
 */

export interface UserSummary {
  id: string;
  username: string;
  display_name: string;
  avatar_url?: string;
}

export interface User extends UserSummary {
  guest: boolean;
  email?: string;
  created_at: string;
}

export interface Register {
  username: string;
  password: string;
  display_name?: string;
  email?: string;
}

export interface Login {
  username: string;
  password: string;
}

export interface GuestLogin {
  display_name?: string;
}

export interface SignedIn {
  user: User;
  session_id: string;
  access_token: string;
  refresh_token: string;
  /** Seconds that `access_token` is valid. */
  expires_in: number;
}

/** One login on one device. */
export interface Session {
  id: string;
  user_agent: string;
  address: string;
  created_at: string;
  last_used_at: string;
  current: boolean;
}

export type Role = "guest" | "member" | "admin" | "owner";

export interface Workspace {
  id: string;
  name: string;
  open: boolean;
  allow_guests: boolean;
  default_channel_id: string;
  created_at: string;
  /** The asking user's; absent in events. */
  role?: Role;
}

export interface CreateWorkspace {
  name: string;
  allow_guests?: boolean;
}

export interface UpdateWorkspace {
  name?: string;
  open?: boolean;
  allow_guests?: boolean;
}

export interface Member {
  user: UserSummary;
  role: Role;
  joined_at: string;
}

export interface MemberChange {
  action: "joined" | "left" | "updated";
  workspace_id: string;
  /** Absent when the workspace's members changed. */
  channel_id?: string;
  member: Member;
  version?: number;
}

export type ChannelKind = "public" | "private";

export interface Channel {
  id: string;
  workspace_id: string;
  kind: ChannelKind;
  name: string;
  topic: string;
  is_default: boolean;
  created_by?: string;
  member_count: number;
  last_seq: number;
  version: number;
  created_at: string;
  // The asking user's own; absent in events for everyone.
  joined?: boolean;
  last_read_seq?: number;
  unread_count?: number;
}

export interface CreateChannel {
  workspace_id?: string;
  name: string;
  kind: ChannelKind;
  topic?: string;
}

export interface UpdateChannel {
  name?: string;
  topic?: string;
  kind?: ChannelKind;
}

export interface ChannelChange {
  action: "created" | "updated" | "deleted";
  channel: Channel;
}

/** What changed in a channel after a version: states, not events. */
export interface ChannelChanges {
  channel: Channel;
  messages: Message[];
  members: MemberChange[];
  version: number;
  more: boolean;
}

export interface Message {
  id: string;
  channel_id: string;
  /** Its place in the channel: 1, 2, 3, … without holes. */
  seq: number;
  /** The channel's version at its newest change. */
  version: number;
  author: UserSummary;
  content: string;
  nonce?: string;
  edited_at?: string;
  deleted_at?: string;
  created_at: string;
}

export interface SendMessage {
  channel_id: string;
  content: string;
  nonce?: string;
}

export interface ReadMark {
  channel_id: string;
  user_id: string;
  message_id: string;
  seq: number;
}

export interface Presence {
  user_id: string;
  status: "online" | "away" | "offline";
  custom_status?: string;
}

export interface UpdateStatus {
  status: "online" | "away";
  custom_status?: string;
}

export interface Typing {
  channel_id: string;
  user_id: string;
  typing: boolean;
}

export interface List<T> {
  items: T[];
}

export interface Page<T> {
  items: T[];
  next_cursor?: string | null;
  prev_cursor?: string | null;
}

export const errorCodes = [
  "unauthenticated",
  "forbidden",
  "not_found",
  "invalid",
  "conflict",
  "too_large",
  "rate_limited",
  "unavailable",
  "internal",
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface FieldError {
  field: string;
  reason: string;
}

/** The payload of `ERROR`; the same fields are in a problem of HTTP. */
export interface ErrorPayload {
  code: ErrorCode;
  detail: string;
  errors?: FieldError[];
  retry_after?: number;
}

export interface Ready {
  session_id: string;
  user: User;
  heartbeat_interval_ms: number;
  server_time: string;
  workspaces: Workspace[];
  channels: Channel[];
  presence: Presence[];
  changes: ChannelChanges[];
  resync: string[];
}

/** What the gateway tells, but for the answers `ACK` and `ERROR`. */
export type Event =
  | { type: "READY"; payload: Ready }
  | { type: "MESSAGE"; payload: Message }
  | { type: "TYPING"; payload: Typing }
  | { type: "PRESENCE"; payload: Presence }
  | { type: "READ_RECEIPT"; payload: ReadMark }
  | { type: "CHANNEL"; payload: ChannelChange }
  | { type: "MEMBER"; payload: MemberChange }
  | { type: "WORKSPACE"; payload: Workspace }
  | { type: "RESYNC"; payload: { channel_id: string } }
  | { type: "PONG"; payload: { versions: Record<string, number> } };

/** An event, or the answer to the request that its `rid` names. */
export type ServerFrame = (
  Event | { type: "ACK"; payload: unknown } | { type: "ERROR"; payload: ErrorPayload }
) & { rid?: string };

/** What a client asks of the gateway. */
export type Command =
  | {
      type: "HELLO";
      payload: {
        token?: string;
        subscribe?: "joined" | "none";
        resume?: { channels: Record<string, number> };
      };
    }
  | { type: "MESSAGE"; payload: SendMessage }
  | { type: "TYPING"; payload: { channel_id: string; typing: boolean } }
  | { type: "READ_RECEIPT"; payload: { channel_id: string; message_id: string } }
  | { type: "PING"; payload: Record<string, never> };
