/**
 * Small changes of the query cache that events, answers and requests share.
 *
 * Invariants:
 * - `last_seq` and `last_read_seq` never go back, and `unread_count` always is their difference.
 * - An event for everyone carries no own fields: those known stay.
 */

import type { InfiniteData, QueryClient } from "@tanstack/react-query";

import { keys } from "../api/keys";
import type { Channel, Member, Message, Page, ReactionChange, ReadMark, Workspace } from "../api/types";
import { mergeReaction, mergeStates, unloaded, type Timeline } from "./timeline";

export type MemberPages = InfiniteData<Page<Member>, string | undefined>;

function counted(channel: Channel): Channel {
  const read = channel.last_read_seq;
  if (read === undefined) return channel;
  return { ...channel, unread_count: Math.max(0, channel.last_seq - read) };
}

/** The newer state over the known one. */
export function mergeChannel(known: Channel | undefined, state: Channel): Channel {
  if (known === undefined) return counted(state);
  if (state.version < known.version) return known;
  const read = Math.max(known.last_read_seq ?? -1, state.last_read_seq ?? -1);
  return counted({
    ...known,
    ...state,
    last_seq: Math.max(known.last_seq, state.last_seq),
    ...(read < 0 ? {} : { last_read_seq: read }),
  });
}

export function findChannel(client: QueryClient, id: string): Channel | undefined {
  const joined = client.getQueryData<Channel[]>(keys.channels)?.find((channel) => channel.id === id);
  return joined ?? client.getQueryData<Channel>(keys.channel(id));
}

/** Changes a channel wherever it is shown. */
export function editChannel(client: QueryClient, id: string, edit: (channel: Channel) => Channel): void {
  const inList = (list: Channel[] | undefined) =>
    list?.map((channel) => (channel.id === id ? counted(edit(channel)) : channel));
  client.setQueryData<Channel[]>(keys.channels, inList);
  client.setQueriesData<Channel[]>({ queryKey: ["browse"] }, inList);
  client.setQueryData<Channel>(keys.channel(id), (channel) =>
    channel === undefined ? undefined : counted(edit(channel)),
  );
}

/** Takes in a channel that one is a member of. */
export function putJoined(client: QueryClient, state: Channel): void {
  const joined: Channel = { ...state, joined: true };
  client.setQueryData<Channel[]>(keys.channels, (list) => putInto(list ?? [], joined));
  putVisible(client, joined);
}

/** Takes in a channel that one can see, joined or not. */
export function putVisible(client: QueryClient, state: Channel): void {
  client.setQueryData<Channel[]>(keys.browse(state.workspace_id), (list) =>
    list === undefined ? undefined : putInto(list, state),
  );
  client.setQueryData<Channel>(keys.channel(state.id), (known) =>
    known === undefined ? undefined : mergeChannel(known, state),
  );
}

function putInto(list: Channel[], state: Channel): Channel[] {
  const at = list.findIndex((channel) => channel.id === state.id);
  if (at < 0) return [...list, mergeChannel(undefined, state)];
  return list.map((channel, index) => (index === at ? mergeChannel(channel, state) : channel));
}

/** Out of a channel, whether one left, was put out, or it is gone. */
export function dropJoined(client: QueryClient, id: string, stillVisible: boolean): void {
  const leave = ({ last_read_seq: _, unread_count: __, ...channel }: Channel): Channel => ({
    ...channel,
    joined: false,
  });
  client.setQueryData<Channel[]>(keys.channels, (list) => list?.filter((channel) => channel.id !== id));
  client.setQueriesData<Channel[]>({ queryKey: ["browse"] }, (list) =>
    stillVisible
      ? list?.map((channel) => (channel.id === id ? leave(channel) : channel))
      : list?.filter((channel) => channel.id !== id),
  );
  client.removeQueries({ queryKey: keys.timeline(id) });
  client.removeQueries({ queryKey: keys.channelMembers(id) });
  client.removeQueries({ queryKey: keys.reads(id) });
  if (stillVisible) {
    client.setQueryData<Channel>(keys.channel(id), (channel) =>
      channel === undefined ? undefined : leave(channel),
    );
  } else {
    void client.resetQueries({ queryKey: keys.channel(id) });
  }
}

function editTimeline(client: QueryClient, channelId: string, edit: (timeline: Timeline) => Timeline): void {
  const key = keys.timeline(channelId);
  const query = client.getQueryState<Timeline>(key);
  // A timeline that nobody asked for is not begun here.
  if (query?.data?.loaded === true || query?.fetchStatus === "fetching") {
    client.setQueryData<Timeline>(key, (timeline) => edit(timeline ?? unloaded));
  }
}

/** Takes in that someone reacted. */
export function putReaction(client: QueryClient, me: string | undefined, change: ReactionChange): void {
  const mine = change.user_id === me;
  editTimeline(client, change.channel_id, (timeline) => mergeReaction(timeline, change, mine));
}

/** Takes in states of messages of one channel. */
export function putMessages(
  client: QueryClient,
  channelId: string,
  me: string | undefined,
  states: readonly Message[],
): void {
  editTimeline(client, channelId, (timeline) => mergeStates(timeline, states));
  const newest = Math.max(...states.map((message) => message.seq), 0);
  const own = Math.max(
    ...states.filter((message) => message.author.id === me).map((message) => message.seq),
    0,
  );
  const known = findChannel(client, channelId);
  if (known === undefined) return;
  if (newest <= known.last_seq && own <= (known.last_read_seq ?? own)) return;
  editChannel(client, channelId, (channel) => ({
    ...channel,
    last_seq: Math.max(channel.last_seq, newest),
    ...(channel.last_read_seq === undefined ? {} : { last_read_seq: Math.max(channel.last_read_seq, own) }),
  }));
}

export function putReadMark(client: QueryClient, me: string | undefined, mark: ReadMark): void {
  if (mark.user_id !== me) {
    client.setQueryData<Record<string, number>>(keys.reads(mark.channel_id), (marks) => ({
      ...marks,
      [mark.user_id]: Math.max(marks?.[mark.user_id] ?? 0, mark.seq),
    }));
    return;
  }
  editChannel(client, mark.channel_id, (channel) =>
    channel.last_read_seq === undefined
      ? channel
      : { ...channel, last_read_seq: Math.max(channel.last_read_seq, mark.seq) },
  );
}

export function putWorkspace(client: QueryClient, state: Workspace): void {
  client.setQueryData<Workspace[]>(keys.workspaces, (list) => {
    if (list === undefined) return undefined;
    if (!list.some((workspace) => workspace.id === state.id)) return [...list, state];
    return list.map((workspace) => (workspace.id === state.id ? { ...workspace, ...state } : workspace));
  });
}

/** Puts a member into loaded pages: over the known one, or at the end if the end is loaded. */
export function putMember(client: QueryClient, key: readonly [string, string], member: Member): void {
  client.setQueryData<MemberPages>(key, (data) => {
    if (data === undefined) return undefined;
    const known = data.pages.some((page) => has(page, member.user.id));
    const pages = data.pages.map((page, at) => {
      if (has(page, member.user.id)) {
        return {
          ...page,
          items: page.items.map((item) => (item.user.id === member.user.id ? member : item)),
        };
      }
      const end = at === data.pages.length - 1 && (page.next_cursor ?? null) === null;
      return !known && end ? { ...page, items: [...page.items, member] } : page;
    });
    return { ...data, pages };
  });
}

export function dropMember(client: QueryClient, key: readonly [string, string], userId: string): void {
  client.setQueryData<MemberPages>(key, (data) =>
    data === undefined
      ? undefined
      : {
          ...data,
          pages: data.pages.map((page) => ({
            ...page,
            items: page.items.filter((item) => item.user.id !== userId),
          })),
        },
  );
}

function has(page: Page<Member>, userId: string): boolean {
  return page.items.some((item) => item.user.id === userId);
}
