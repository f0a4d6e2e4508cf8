/** Every request of the REST interface that the client makes, by name. */

import { bytes, command, request } from "./http";
import type {
  Channel,
  ChannelChanges,
  CreateChannel,
  CreateInvite,
  CreateReply,
  CreateWorkspace,
  CustomEmoji,
  EmojiList,
  GuestLogin,
  Invite,
  InvitePreview,
  List,
  Login,
  Member,
  Message,
  Notification,
  NotificationCount,
  NotificationSettings,
  OpenDirect,
  Page,
  Presence,
  ReadMark,
  Settings,
  UnreadMark,
  UpdateSettings,
  ReadNotifications,
  Register,
  Role,
  SendMessage,
  Session,
  SignedIn,
  UpdateChannel,
  UpdateChannelNotifications,
  UpdateNotificationSettings,
  UpdateUser,
  UpdateWorkspace,
  UploadedFile,
  User,
  UserChanges,
  UserStatus,
  Workspace,
} from "./types";

const anonymous = true;
const seg = encodeURIComponent;

export const register = (body: Register) => request<SignedIn>("POST", "/auth/register", { body, anonymous });
export const login = (body: Login) => request<SignedIn>("POST", "/auth/login", { body, anonymous });
export const guest = (body: GuestLogin) => request<SignedIn>("POST", "/auth/guest", { body, anonymous });
export const logout = () => command("POST", "/auth/logout");
export const listSessions = (signal?: AbortSignal) =>
  items(request<List<Session>>("GET", "/auth/sessions", withSignal(signal)));
export const endSession = (id: string) => command("DELETE", `/auth/sessions/${seg(id)}`);

export const getMe = (signal?: AbortSignal) => request<User>("GET", "/users/me", withSignal(signal));
export const getUser = (id: string, signal?: AbortSignal) =>
  request<User>("GET", `/users/${seg(id)}`, withSignal(signal));
export const updateUser = (id: string, body: UpdateUser) =>
  request<User>("PUT", `/users/${seg(id)}`, { body });
export const setAvatar = (id: string, file: Blob) =>
  request<User>("PUT", `/users/${seg(id)}/avatar`, { bytes: file });
export const removeAvatar = (id: string) => command("DELETE", `/users/${seg(id)}/avatar`);
export const listUserChanges = (after: number) =>
  request<UserChanges>("GET", "/users/changes", { query: { after } });
export const updateStatus = (id: string, body: UserStatus) =>
  request<Presence>("PUT", `/users/${seg(id)}/status`, { body });

export const listNotifications = (signal?: AbortSignal) =>
  items(request<Page<Notification>>("GET", "/notifications", withSignal(signal)));
export const readNotifications = (body: ReadNotifications) =>
  request<NotificationCount>("PUT", "/notifications/read", { body });
export const getNotificationSettings = (signal?: AbortSignal) =>
  request<NotificationSettings>("GET", "/notifications/settings", withSignal(signal));
export const updateNotificationSettings = (body: UpdateNotificationSettings) =>
  request<NotificationSettings>("PUT", "/notifications/settings", { body });
export const updateChannelNotifications = (id: string, body: UpdateChannelNotifications) =>
  request<NotificationSettings>("PUT", `/channels/${seg(id)}/notifications`, { body });

export const listWorkspaces = (signal?: AbortSignal) =>
  items(request<List<Workspace>>("GET", "/workspaces", withSignal(signal)));
export const getWorkspace = (id: string) => request<Workspace>("GET", `/workspaces/${seg(id)}`);
export const createWorkspace = (body: CreateWorkspace) => request<Workspace>("POST", "/workspaces", { body });
export const updateWorkspace = (id: string, body: UpdateWorkspace) =>
  request<Workspace>("PUT", `/workspaces/${seg(id)}`, { body });
export const listWorkspaceMembers = (id: string, after?: string, signal?: AbortSignal) =>
  request<Page<Member>>("GET", `/workspaces/${seg(id)}/members`, {
    query: { limit: 100, after },
    ...withSignal(signal),
  });
export const previewInvite = (code: string, signal?: AbortSignal) =>
  request<InvitePreview>("POST", "/invites/preview", { body: { code }, anonymous, ...withSignal(signal) });
export const acceptInvite = (code: string) =>
  request<Workspace>("POST", "/invites/accept", { body: { code } });
export const listGuestLinks = (workspaceId: string, channelId: string, signal?: AbortSignal) =>
  items(
    request<List<Invite>>("GET", `/workspaces/${seg(workspaceId)}/invites`, {
      query: { channel_id: channelId },
      ...withSignal(signal),
    }),
  );
export const createInvite = (workspaceId: string, body: CreateInvite) =>
  request<Invite>("POST", `/workspaces/${seg(workspaceId)}/invites`, { body });
export const revokeInvite = (workspaceId: string, id: string) =>
  command("DELETE", `/workspaces/${seg(workspaceId)}/invites/${seg(id)}`);
export const addWorkspaceMember = (id: string, username: string) =>
  request<Member>("POST", `/workspaces/${seg(id)}/members`, { body: { username } });
export const updateWorkspaceMember = (id: string, userId: string, role: Role) =>
  request<Member>("PUT", `/workspaces/${seg(id)}/members/${seg(userId)}`, { body: { role } });
export const removeWorkspaceMember = (id: string, userId: string) =>
  command("DELETE", `/workspaces/${seg(id)}/members/${seg(userId)}`);

export const listEmoji = (workspaceId: string, signal?: AbortSignal) =>
  request<EmojiList>("GET", `/workspaces/${seg(workspaceId)}/emoji`, withSignal(signal));
export function createEmoji(workspaceId: string, name: string, file: File): Promise<CustomEmoji> {
  const form = new FormData();
  form.set("name", name);
  form.set("file", file);
  return request<CustomEmoji>("POST", `/workspaces/${seg(workspaceId)}/emoji`, { form });
}
export const deleteEmoji = (workspaceId: string, name: string) =>
  command("DELETE", `/workspaces/${seg(workspaceId)}/emoji/${seg(name)}`);
export const emojiBytes = (id: string) => bytes(`/emoji/${seg(id)}`);

export const listChannels = (signal?: AbortSignal) =>
  items(request<List<Channel>>("GET", "/channels", withSignal(signal)));
export const browseChannels = (workspaceId: string, signal?: AbortSignal) =>
  items(request<List<Channel>>("GET", `/workspaces/${seg(workspaceId)}/channels`, withSignal(signal)));
export const getChannel = (id: string, signal?: AbortSignal) =>
  request<Channel>("GET", `/channels/${seg(id)}`, withSignal(signal));
export const createChannel = (body: CreateChannel) => request<Channel>("POST", "/channels", { body });
export const updateChannel = (id: string, body: UpdateChannel) =>
  request<Channel>("PUT", `/channels/${seg(id)}`, { body });
export const deleteChannel = (id: string) => command("DELETE", `/channels/${seg(id)}`);
export const openDirect = (body: OpenDirect) => request<Channel>("POST", "/dm", { body });
export const joinChannel = (id: string) => request<Channel>("POST", `/channels/${seg(id)}/join`);
export const leaveChannel = (id: string) => command("POST", `/channels/${seg(id)}/leave`);
export const listChannelMembers = (id: string, after?: string, signal?: AbortSignal) =>
  request<Page<Member>>("GET", `/channels/${seg(id)}/members`, {
    query: { limit: 100, after },
    ...withSignal(signal),
  });
export const addChannelMember = (id: string, userId: string) =>
  request<Member>("POST", `/channels/${seg(id)}/members`, { body: { user_id: userId } });
export const removeChannelMember = (id: string, userId: string) =>
  command("DELETE", `/channels/${seg(id)}/members/${seg(userId)}`);
export const listChanges = (id: string, after: number) =>
  request<ChannelChanges>("GET", `/channels/${seg(id)}/changes`, { query: { after } });

export interface Place {
  before?: string;
  after?: string;
  around?: string;
  around_seq?: number;
}

export const listMessages = (id: string, place: Place, signal?: AbortSignal) =>
  request<Page<Message>>("GET", `/channels/${seg(id)}/messages`, {
    query: { limit: 50, ...place },
    ...withSignal(signal),
  });
export const sendMessage = (body: SendMessage) => request<Message>("POST", "/messages", { body });
export const listReplies = (id: string, before?: string, signal?: AbortSignal) =>
  request<Page<Message>>("GET", `/messages/${seg(id)}/thread`, {
    query: { limit: 50, before },
    ...withSignal(signal),
  });
export const reply = (id: string, body: CreateReply) =>
  request<Message>("POST", `/messages/${seg(id)}/thread`, { body });
export const updateMessage = (id: string, content: string) =>
  request<Message>("PUT", `/messages/${seg(id)}`, { body: { content } });
export const removePreviews = (id: string) => request<Message>("DELETE", `/messages/${seg(id)}/previews`);
export const deleteMessage = (id: string) => command("DELETE", `/messages/${seg(id)}`);
export const react = (id: string, emoji: string) =>
  request<Message>("POST", `/messages/${seg(id)}/reactions`, { body: { emoji } });
export const unreact = (id: string, emoji: string) =>
  request<Message>("DELETE", `/messages/${seg(id)}/reactions`, { body: { emoji } });
export function uploadFile(file: File, signal?: AbortSignal): Promise<UploadedFile> {
  const form = new FormData();
  form.set("file", file);
  return request<UploadedFile>("POST", "/files", { form, ...withSignal(signal) });
}
export const fileBytes = (id: string) => bytes(`/files/${seg(id)}`);
export const thumbnailBytes = (id: string) => bytes(`/files/${seg(id)}/thumbnail`);
export const markRead = (channelId: string, messageId: string, readVersion: number) =>
  request<ReadMark>("PUT", `/channels/${seg(channelId)}/read`, {
    body: { message_id: messageId, read_version: readVersion },
  });
export const markUnread = (channelId: string, messageId: string) =>
  request<UnreadMark>("PUT", `/channels/${seg(channelId)}/unread`, { body: { message_id: messageId } });
export const getSettings = (signal?: AbortSignal) =>
  request<Settings>("GET", "/users/me/settings", withSignal(signal));
export const updateSettings = (body: UpdateSettings) =>
  request<Settings>("PUT", "/users/me/settings", { body });

function withSignal(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

async function items<T>(list: Promise<List<T>>): Promise<T[]> {
  return (await list).items;
}
