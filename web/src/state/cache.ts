/**
 * Small changes of the query cache that events, answers and requests share.
 *
 * Invariants:
 * - `first_seq` and `last_seq` never go back; `last_read_seq` only with a later `read_version`, which one's own
 *   state of the channel tells. `unread_count` is how many messages that are there are not read, less
 *   `unread_skipped`, `mention_count` how many of `unread_mentions` there are.
 * - An event for everyone carries no own fields: those known stay.
 */

import type { InfiniteData, QueryClient } from "@tanstack/react-query";

import { keys } from "../api/keys";
import type { Channel, Member, Message, Page, ReactionChange, ReadMark, Workspace } from "../api/types";
import { mergeReaction, mergeStates, unloaded, type Timeline } from "./timeline";

export type MemberPages = InfiniteData<Page<Member>, string | undefined>;

/** How many mentions of a channel are counted, and how many messages that are not unread. */
const MENTIONS_COUNTED = 100;
const UNREAD_SKIPPED = 500;

function counted(channel: Channel): Channel {
  const read = channel.last_read_seq;
  if (read === undefined) return channel;
  // What is gone can be read no more.
  const before = Math.max(read, (channel.first_seq ?? 1) - 1);
  const skipped = (channel.unread_skipped ?? []).filter((seq) => seq > before).slice(-UNREAD_SKIPPED);
  const mentions = (channel.unread_mentions ?? [])
    .filter((seq) => seq > before && !skipped.includes(seq))
    .slice(-MENTIONS_COUNTED);
  return {
    ...channel,
    unread_count: Math.max(0, channel.last_seq - before - skipped.length),
    unread_skipped: skipped,
    mention_count: mentions.length,
    unread_mentions: mentions,
  };
}

/** What an event for everyone does not carry. What is absent otherwise is so no more. */
function ownFields({ joined, people }: Channel): Partial<Channel> {
  return {
    ...(joined === undefined ? {} : { joined }),
    ...(people === undefined ? {} : { people }),
  };
}

/** The newer state over the known one. */
export function mergeChannel(known: Channel | undefined, state: Channel): Channel {
  if (known === undefined) return counted(state);
  if (state.version < known.version) return known;
  return counted({
    ...ownFields(known),
    ...state,
    last_seq: Math.max(known.last_seq, state.last_seq),
    ...(known.first_seq === undefined ? {} : { first_seq: Math.max(known.first_seq, state.first_seq ?? 1) }),
    ...unread(known, state),
  });
}

/** The read mark and what it leaves unread: a state for everyone does not know it, an older mark is no news. */
function unread(known: Channel, state: Channel): Partial<Channel> {
  const later = (state.read_version ?? 0) - (known.read_version ?? 0);
  const told = state.last_read_seq !== undefined && later >= 0;
  // One's own state knows nothing of what was heard after it.
  const [older, newer] = told ? [state, known] : [known, state];
  const both = (which: "unread_skipped" | "unread_mentions") => [
    ...(older[which] ?? []),
    ...(newer[which] ?? []).filter((seq) => seq > older.last_seq),
  ];
  const read =
    later > 0 ? state.last_read_seq : Math.max(known.last_read_seq ?? -1, state.last_read_seq ?? -1);
  const mark = told ? read : known.last_read_seq;
  return {
    unread_skipped: both("unread_skipped"),
    unread_mentions: both("unread_mentions"),
    ...(mark === undefined || mark < 0 ? {} : { last_read_seq: mark }),
    read_version: Math.max(known.read_version ?? 0, state.read_version ?? 0),
  };
}

/** The oldest message that one has not read. */
export function firstUnreadSeq(channel: Channel): number | undefined {
  const { last_read_seq, last_seq, first_seq, unread_skipped } = channel;
  if (last_read_seq === undefined) return undefined;
  let seq = Math.max(last_read_seq + 1, first_seq ?? 1);
  while (unread_skipped?.includes(seq) === true) seq += 1;
  return seq <= last_seq ? seq : undefined;
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
  const leave = ({
    last_read_seq: _,
    unread_count: __,
    unread_skipped: ___,
    mention_count: ____,
    unread_mentions: _____,
    ...channel
  }: Channel): Channel => ({
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
  const known = findChannel(client, channelId);
  if (known === undefined) return;
  // Who writes has read up to there; what was there before may be unread again.
  const isNew = ({ author, seq }: Message) => author.id === me && seq > known.last_seq;
  const own = Math.max(...states.filter(isNew).map((message) => message.seq), 0);
  const mentions = mentionsAfter(known, me, states);
  const deleted = states.filter((message) => message.deleted_at !== undefined).map(({ seq }) => seq);
  const skipped = [...new Set([...(known.unread_skipped ?? []), ...deleted])].toSorted((a, b) => a - b);
  if (
    newest <= known.last_seq &&
    mentions.join() === (known.unread_mentions ?? []).join() &&
    skipped.join() === (known.unread_skipped ?? []).join()
  ) {
    return;
  }
  editChannel(client, channelId, (channel) => ({
    ...channel,
    unread_mentions: mentions,
    unread_skipped: skipped,
    last_seq: Math.max(channel.last_seq, newest),
    ...(channel.last_read_seq === undefined ? {} : { last_read_seq: Math.max(channel.last_read_seq, own) }),
  }));
}

/**
 * The unread messages that mention one, once these states of messages are known. Who was there when a message
 * was sent is known when it is heard then.
 */
function mentionsAfter(known: Channel, me: string | undefined, states: readonly Message[]): number[] {
  const mentions = new Set(known.unread_mentions ?? []);
  for (const { seq, mentions: all } of states) {
    const there = seq > known.last_seq || mentions.has(seq);
    const meant = all.some(
      ({ kind, user_id }) => kind === "channel" || (kind === "here" ? there : user_id === me),
    );
    if (meant) mentions.add(seq);
    else mentions.delete(seq);
  }
  return [...mentions].toSorted((a, b) => a - b);
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
    channel.last_read_seq === undefined || (mark.read_version ?? 0) !== (channel.read_version ?? 0)
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
