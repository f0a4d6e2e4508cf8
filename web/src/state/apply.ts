/**
 * What each event changes. This is the only writer from the gateway into the query cache.
 *
 * Events come here in the order of their versions; `versions.ts` sees to that. A message's state may
 * come again or late: the cache keeps the newer one.
 */

import type { QueryClient } from "@tanstack/react-query";

import { keys } from "../api/keys";
import type {
  Channel,
  ChannelChange,
  ChannelChanges,
  EmojiChange,
  EmojiList,
  Event,
  MemberChange,
  Message,
  Online,
  Presence,
  Ready,
  Sanction,
  SanctionChange,
  Settings,
  Watched,
  Workspace,
} from "../api/types";
import {
  dropJoined,
  dropMember,
  editChannel,
  findChannel,
  mergeChannel,
  putJoined,
  putMember,
  putMessages,
  putReaction,
  putReadMark,
  putVisible,
  putWorkspace,
} from "./cache";
import { mayLookAround } from "./permissions";
import type { Profiles } from "./profiles";
import { rise, type Timeline } from "./timeline";
import {
  beginNotifications,
  changeNotifications,
  putNotification,
  putNotificationSettings,
} from "./notifications";
import { noteTyping } from "./typing";

/** Where events go. */
export interface Cache {
  client: QueryClient;
  /** Whose cache it is. */
  me: () => string | undefined;
  /** A message of one's own is stored: its row in the outbox has done its duty. */
  settled: (nonce: string) => void;
  /** The picture of who is there is to be asked for anew. */
  watchAnew: () => void;
  /** How people show. */
  profiles: Pick<Profiles, "begin" | "heard">;
}

export function applyEvent(cache: Cache, event: Event): void {
  switch (event.type) {
    case "READY":
      return ready(cache, event.payload);
    case "MESSAGE":
      return messages(cache, event.payload.channel_id, [event.payload]);
    case "TYPING":
      if (event.payload.user_id !== cache.me()) noteTyping(event.payload);
      return;
    case "PRESENCE":
      return presence(cache, event.payload);
    case "USER":
      return cache.profiles.heard(event.payload);
    case "ONLINE":
      return online(cache, event.payload);
    case "WATCHED":
      return watched(cache, event.payload);
    case "READ_RECEIPT":
      return putReadMark(cache.client, cache.me(), event.payload);
    case "REACTION":
      return putReaction(cache.client, cache.me(), event.payload);
    case "NOTIFICATION":
      return putNotification(cache.client, event.payload);
    case "NOTIFICATIONS":
      return changeNotifications(cache.client, event.payload);
    case "NOTIFICATION_SETTINGS":
      return putNotificationSettings(cache.client, event.payload);
    case "CHANNEL":
      return channel(cache, event.payload);
    case "MEMBER":
      return member(cache, event.payload);
    case "WORKSPACE":
      return workspace(cache, event.payload);
    case "EMOJI":
      return emoji(cache, event.payload);
    case "SANCTION":
      return sanction(cache, event.payload);
    case "RESYNC":
      return forgetTimeline(cache, event.payload.channel_id);
    case "SETTINGS":
      cache.client.setQueryData<Settings>(keys.settings, event.payload);
      return;
    case "SAVED": // This client does not show these.
    case "DRAFT":
    case "SCHEDULED":
    case "REMINDER":
    case "UNREAD": // What is unread then, the changes tell that `versions.ts` asks for.
    case "EXPORT":
    case "PONG":
      return; // Only versions: not for the cache.
  }
}

/** Applies what changed in a channel while nobody listened. */
export function applyChanges(cache: Cache, changes: ChannelChanges): void {
  const { channel: state } = changes;
  editChannel(cache.client, state.id, (known) => mergeChannel(known, state));
  raise(cache, state);
  messages(cache, state.id, changes.messages);
  for (const change of changes.members) channelMember(cache, state.id, change);
}

/** The loaded messages are too old to be mended: whoever shows them loads a page anew. */
export function forgetTimeline(cache: Cache, channelId: string): void {
  void cache.client.resetQueries({ queryKey: keys.timeline(channelId) });
}

/** The channel begins later: lets go of what was before. */
function raise(cache: Pick<Cache, "client">, { id, first_seq = 1, last_seq }: Channel): void {
  const timeline = cache.client.getQueryData<Timeline>(keys.timeline(id));
  if (timeline?.loaded !== true || first_seq <= timeline.floor) return;
  const risen = rise(timeline, first_seq);
  cache.client.setQueryData<Timeline>(keys.timeline(id), risen);
  // All that was loaded is gone, and there is more.
  if (risen.items.length === 0 && last_seq >= first_seq) {
    void cache.client.resetQueries({ queryKey: keys.timeline(id) });
  }
}

function ready({ client, profiles }: Cache, payload: Ready): void {
  client.setQueryData(keys.me, payload.user);
  client.setQueryData<Workspace[]>(keys.workspaces, payload.workspaces);
  client.setQueryData<Sanction[]>(keys.sanctions, payload.sanctions ?? []);
  if (payload.settings !== undefined) client.setQueryData<Settings>(keys.settings, payload.settings);
  beginNotifications(client, payload.notifications);
  const known = client.getQueryData<Channel[]>(keys.channels) ?? [];
  client.setQueryData<Channel[]>(
    keys.channels,
    payload.channels.map((state) =>
      mergeChannel(
        known.find((channel) => channel.id === state.id),
        { ...state, joined: true },
      ),
    ),
  );
  for (const state of payload.channels) raise({ client }, state);
  for (const { id, emoji_version } of payload.workspaces) {
    const version = client.getQueryData<EmojiList>(keys.emoji(id))?.version;
    if (version !== emoji_version) void client.invalidateQueries({ queryKey: keys.emoji(id) });
  }
  watched({ client }, payload);
  const gone = known.filter(({ id }) => !payload.channels.some((channel) => channel.id === id));
  for (const channel of gone) dropJoined(client, channel.id, staysVisible(client, channel));
  profiles.begin(payload.users_version);
  // What no version guards is read again where it is shown.
  for (const key of ["browse", "workspace-members", "channel-members", "channel"]) {
    void client.invalidateQueries({ queryKey: [key] });
  }
}

function messages(cache: Cache, channelId: string, states: readonly Message[]): void {
  putMessages(cache.client, channelId, cache.me(), states);
  for (const { author, nonce } of states) {
    noteTyping({ channel_id: channelId, user_id: author.id, typing: false });
    if (author.id === cache.me() && nonce !== undefined) cache.settled(nonce);
  }
}

function presence({ client }: Cache, payload: Presence): void {
  client.setQueryData<Record<string, Presence>>(keys.presence, (known) => ({
    ...known,
    [payload.user_id]: payload,
  }));
}

/** All that is told of who is there: whoever was known before and is not in it is known no more. */
function watched({ client }: Pick<Cache, "client">, picture: Watched): void {
  const there = new Map(picture.presence.map((presence) => [presence.user_id, presence]));
  client.setQueryData<Record<string, Presence>>(keys.presence, Object.fromEntries(there));
  const counts = new Map(picture.online.map((count) => [count.workspace_id, count]));
  client.setQueryData<Record<string, Online>>(keys.online, Object.fromEntries(counts));
}

function online({ client, watchAnew }: Cache, count: Online): void {
  const before = client.getQueryData<Record<string, Online>>(keys.online)?.[count.workspace_id];
  client.setQueryData<Record<string, Online>>(keys.online, (known) => ({
    ...known,
    [count.workspace_id]: count,
  }));
  // Nothing tells which of those known belong to the workspace.
  if (before?.named !== count.named) watchAnew();
}

function channel({ client }: Cache, { action, channel: state }: ChannelChange): void {
  switch (action) {
    case "created":
      if (state.joined !== true) {
        putVisible(client, state);
        return;
      }
      putJoined(client, state);
      void client.invalidateQueries({ queryKey: keys.channelMembers(state.id) });
      return;
    case "updated": {
      const known = findChannel(client, state.id);
      editChannel(client, state.id, (channel) => mergeChannel(channel, state));
      raise({ client }, state);
      if (known?.joined !== true) putVisible(client, state);
      return;
    }
    case "deleted":
      dropJoined(client, state.id, false);
  }
}

function member(cache: Cache, change: MemberChange): void {
  const { channel_id: channelId, workspace_id: workspaceId } = change;
  if (channelId === undefined) {
    workspaceMember(cache, workspaceId, change);
    return;
  }
  const own = change.member.user.id === cache.me();
  if (own && change.action === "left") {
    leaveChannel(cache, channelId);
    return;
  }
  channelMember(cache, channelId, change);
  const step = change.action === "joined" ? 1 : change.action === "left" ? -1 : 0;
  editChannel(cache.client, channelId, (channel) => ({
    ...channel,
    ...peopleAfter(channel, change),
    member_count: channel.member_count + step,
    version: Math.max(channel.version, change.version ?? 0),
  }));
}

/** One is out of a channel. */
export function leaveChannel({ client }: Pick<Cache, "client">, id: string): void {
  const known = findChannel(client, id);
  dropJoined(client, id, known !== undefined && staysVisible(client, known));
}

/** Whether one who is not in a channel any more still sees it. */
function staysVisible(client: QueryClient, { kind, workspace_id }: Channel): boolean {
  const workspaces = client.getQueryData<Workspace[]>(keys.workspaces);
  const role = workspaces?.find(({ id }) => id === workspace_id)?.role;
  return kind === "public" && mayLookAround(role);
}

/** Whose a group is; a direct message of two stays theirs. */
function peopleAfter({ kind, people }: Channel, { action, member }: MemberChange): Pick<Channel, "people"> {
  if (people === undefined) return {};
  const others = people.filter(({ id }) => id !== member.user.id);
  if (action === "left") return kind === "group" ? { people: others } : {};
  return others.length === people.length ? { people: [...people, member.user] } : {};
}

function channelMember({ client }: Cache, channelId: string, change: MemberChange): void {
  const key = keys.channelMembers(channelId);
  if (change.action === "left") dropMember(client, key, change.member.user.id);
  else putMember(client, key, change.member);
}

function workspaceMember(cache: Cache, workspaceId: string, change: MemberChange): void {
  const { client } = cache;
  const { user, role } = change.member;
  const key = keys.workspaceMembers(workspaceId);
  if (user.id !== cache.me()) {
    if (change.action === "left") dropMember(client, key, user.id);
    else putMember(client, key, change.member);
    return;
  }
  if (change.action !== "left") {
    putMember(client, key, change.member);
    client.setQueryData<Workspace[]>(keys.workspaces, (list) =>
      list?.map((known) => (known.id === workspaceId ? { ...known, role } : known)),
    );
    return;
  }
  client.setQueryData<Workspace[]>(keys.workspaces, (list) =>
    list?.filter((known) => known.id !== workspaceId),
  );
  cache.watchAnew();
  const channels = client.getQueryData<Channel[]>(keys.channels) ?? [];
  for (const { id, workspace_id } of channels) {
    if (workspace_id === workspaceId) dropJoined(client, id, false);
  }
}

function workspace({ client, watchAnew }: Cache, state: Workspace): void {
  const list = client.getQueryData<Workspace[]>(keys.workspaces) ?? [];
  const before = list.find(({ id }) => id === state.id);
  const known = before !== undefined;
  putWorkspace(client, state);
  // Of a new one, or of one that one only visited, nothing is known yet.
  const settled = mayLookAround(state.role) && !mayLookAround(before?.role);
  if (!known || settled) watchAnew();
  if (known && settled) void client.invalidateQueries({ queryKey: keys.browse(state.id) });
  // The event is for everyone and does not tell one's own role.
  if (!known && state.role === undefined) {
    void client.invalidateQueries({ queryKey: keys.workspaces });
  }
}

/** A workspace has an emoji more, or less; who missed a change reads all of them anew. */
function emoji({ client }: Cache, { action, workspace_id: id, emoji: told, version }: EmojiChange): void {
  const key = keys.emoji(id);
  const known = client.getQueryData<EmojiList>(key);
  if (known?.version === version - 1) {
    const others = known.items.filter(({ name }) => name !== told.name);
    client.setQueryData<EmojiList>(key, {
      items: action === "created" ? [...others, told] : others,
      version,
    });
  } else if (known === undefined || known.version < version) {
    void client.invalidateQueries({ queryKey: key });
  }
}

/** What the user is under: of each kind one in a place. */
function sanction({ client }: Cache, { action, sanction: told }: SanctionChange): void {
  const same = (known: Sanction) =>
    known.id === told.id ||
    (known.kind === told.kind &&
      known.workspace_id === told.workspace_id &&
      known.channel_id === told.channel_id);
  client.setQueryData<Sanction[]>(keys.sanctions, (list = []) => {
    const others = list.filter((known) => (action === "imposed" ? !same(known) : known.id !== told.id));
    return action === "imposed" ? [...others, told] : others;
  });
}
