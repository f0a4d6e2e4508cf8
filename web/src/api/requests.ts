/** Every request of the REST interface that the client makes, by name. */

import { command, request } from "./http";
import type {
  Channel,
  ChannelChanges,
  CreateChannel,
  CreateReply,
  CreateWorkspace,
  GuestLogin,
  List,
  Login,
  Member,
  Message,
  OpenDirect,
  Page,
  Presence,
  ReadMark,
  Register,
  Role,
  SendMessage,
  Session,
  SignedIn,
  UpdateChannel,
  UpdateStatus,
  UpdateWorkspace,
  User,
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
export const updateStatus = (id: string, body: UpdateStatus) =>
  request<Presence>("PUT", `/users/${seg(id)}/status`, { body });

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
export const addWorkspaceMember = (id: string, username: string) =>
  request<Member>("POST", `/workspaces/${seg(id)}/members`, { body: { username } });
export const updateWorkspaceMember = (id: string, userId: string, role: Role) =>
  request<Member>("PUT", `/workspaces/${seg(id)}/members/${seg(userId)}`, { body: { role } });
export const removeWorkspaceMember = (id: string, userId: string) =>
  command("DELETE", `/workspaces/${seg(id)}/members/${seg(userId)}`);

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
export const deleteMessage = (id: string) => command("DELETE", `/messages/${seg(id)}`);
export const react = (id: string, emoji: string) =>
  request<Message>("POST", `/messages/${seg(id)}/reactions`, { body: { emoji } });
export const unreact = (id: string, emoji: string) =>
  request<Message>("DELETE", `/messages/${seg(id)}/reactions`, { body: { emoji } });
export const markRead = (channelId: string, messageId: string) =>
  request<ReadMark>("PUT", `/channels/${seg(channelId)}/read`, { body: { message_id: messageId } });

function withSignal(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

async function items<T>(list: Promise<List<T>>): Promise<T[]> {
  return (await list).items;
}
