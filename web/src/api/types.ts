/**
 * The wire: what the server and the client say to each other, by short names.
 *
 * The types are generated from the server's OpenAPI document; here they only lose the `null` that the
 * document allows and the server never sends: what is missing is absent. Ids are decimal strings (they
 * do not fit a JavaScript number), times RFC 3339 in UTC.
 */

import type { components } from "./schema.gen";

type Schemas = components["schemas"];

/** Without `null`, all the way down. */
type Present<T> = T extends readonly (infer Item)[]
  ? Present<Item>[]
  : T extends object
    ? { [Key in keyof T]: Present<Exclude<T[Key], null>> }
    : T;

export type UserSummary = Present<Schemas["UserSummary"]>;
export type User = Present<Schemas["User"]>;
export type UpdateUser = Present<Schemas["UpdateUser"]>;
export type UserChange = Present<Schemas["UserChange"]>;
export type UserChanges = Present<Schemas["UserChanges"]>;
export type Session = Present<Schemas["Session"]>;
export type Register = Present<Schemas["Register"]>;
export type Login = Present<Schemas["Login"]>;
export type GuestLogin = Present<Schemas["GuestLogin"]>;
export type SignedIn = Present<Schemas["SignedIn"]>;

export type Role = Schemas["Role"];
export type Workspace = Present<Schemas["Workspace"]>;
export type CreateWorkspace = Present<Schemas["CreateWorkspace"]>;
export type UpdateWorkspace = Present<Schemas["UpdateWorkspace"]>;
export type Invite = Present<Schemas["Invite"]>;
export type CreateInvite = Present<Schemas["CreateInvite"]>;
export type InvitePreview = Present<Schemas["InvitePreview"]>;
export type Member = Present<Schemas["Member"]>;
export type MemberChange = Present<Schemas["MemberChange"]>;

export type ChannelKind = Schemas["ChannelKind"];
export type NewChannelKind = Schemas["NewChannelKind"];
export type Channel = Present<Schemas["Channel"]>;
export type Override = Present<Schemas["Override"]>;
export type CreateChannel = Present<Schemas["CreateChannel"]>;
export type UpdateChannel = Present<Schemas["UpdateChannel"]>;
export type OpenDirect = Present<Schemas["OpenDirect"]>;
export type ChannelChange = Present<Schemas["ChannelChange"]>;
export type ChannelChanges = Present<Schemas["ChannelChanges"]>;

export type Message = Present<Schemas["Message"]>;
export type UploadedFile = Message["files"][number];
export type Reaction = Message["reactions"][number];
export type ReactionChange = Present<Schemas["ReactionChange"]>;
export type CreateReply = Present<Schemas["CreateReply"]>;
export type SendMessage = Present<Schemas["SendMessage"]>;
export type ReadMark = Present<Schemas["ReadMark"]>;
export type UnreadMark = Present<Schemas["UnreadMark"]>;
export type Settings = Present<Schemas["Settings"]>;
export type UpdateSettings = Present<Schemas["UpdateSettings"]>;
export type Presence = Present<Schemas["Presence"]>;
export type Online = Present<Schemas["Online"]>;
export type Watched = Present<Schemas["Watched"]>;
export type UserStatus = Present<Schemas["UserStatus"]>;
export type Typing = Present<Schemas["Typing"]>;

export type ErrorCode = Schemas["ErrorCode"];
export type FieldError = Present<Schemas["FieldError"]>;
/** The payload of `ERROR`; the same fields are in a problem of HTTP. */
export type ErrorPayload = Present<Schemas["ErrorPayload"]>;

export type CustomEmoji = Present<Schemas["CustomEmoji"]>;
export type EmojiList = Present<Schemas["EmojiList"]>;
export type EmojiChange = Present<Schemas["EmojiChange"]>;

export type Sanction = Present<Schemas["Sanction"]>;
export type SanctionChange = Present<Schemas["SanctionChange"]>;

export type Notification = Present<Schemas["Notification"]>;
export type NotificationLevel = Schemas["NotificationLevel"];
export type NotificationCount = Present<Schemas["NotificationCount"]>;
export type NewNotification = Present<Schemas["NewNotification"]>;
export type NotificationsChange = Present<Schemas["NotificationsChange"]>;
export type NotificationSettings = Present<Schemas["NotificationSettings"]>;
export type UpdateNotificationSettings = Present<Schemas["UpdateNotificationSettings"]>;
export type QuietHours = Present<Schemas["QuietHours"]>;
export type Weekday = Schemas["Weekday"];
export type UpdateChannelNotifications = Present<Schemas["UpdateChannelNotifications"]>;
export type ReadNotifications = Present<Schemas["ReadNotifications"]>;

export type Ready = Present<Schemas["Ready"]>;
type Told = Present<Schemas["Event"]>;
/** What the gateway tells, but for the answers `ACK` and `ERROR`. */
export type Event = Exclude<Told, { type: "ACK" | "ERROR" }>;
/** What a client asks of the gateway. */
export type Command = Present<Schemas["Command"]>;

/** An event, or the answer to the request that its `rid` names; an `ACK` says what the request asked for. */
export type ServerFrame = (
  Event | { type: "ACK"; payload: unknown } | { type: "ERROR"; payload: ErrorPayload }
) & { rid?: string };

/** A list that cannot be large. */
export interface List<T> {
  items: T[];
}

/** A page of a long list; the cursors are null or absent at the ends. */
export interface Page<T> {
  items: T[];
  next_cursor?: string | null;
  prev_cursor?: string | null;
}

// A type error here: the server has another code, or one less.
const codes: Record<ErrorCode, true> = {
  unauthenticated: true,
  forbidden: true,
  not_found: true,
  method_not_allowed: true,
  precondition_failed: true,
  unsupported_media_type: true,
  range_not_satisfiable: true,
  upgrade_required: true,
  invalid: true,
  conflict: true,
  too_large: true,
  rate_limited: true,
  storage_full: true,
  unavailable: true,
  internal: true,
};

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(codes, value);
}
