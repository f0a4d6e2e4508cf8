/** Events and what they change in the query cache. */
import { QueryClient } from "@tanstack/react-query";
import { beforeEach, expect, test, vi } from "vitest";

import { keys } from "../api/keys";
import type { Channel, Event, Message, Presence, Workspace } from "../api/types";
import { applyChanges, applyEvent, leaveChannel, type Cache } from "./apply";
import type { MemberPages } from "./cache";
import { alice, bob, channel, general, joined, member, memberChange, message, ready } from "../api/fixtures";
import { mergePage, unloaded, type Timeline } from "./timeline";
import { useTypingStore } from "./typing";

let cache: Cache;
const settled = vi.fn();
const watchAnew = vi.fn();
const profiles = { begin: vi.fn(), heard: vi.fn() };

beforeEach(() => {
  settled.mockReset();
  watchAnew.mockReset();
  cache = { client: new QueryClient(), me: () => alice.id, settled, watchAnew, profiles };
  apply({ type: "READY", payload: ready() });
});

const workspace: Workspace = {
  id: "20",
  name: "Team",
  open: true,
  allow_guests: true,
  edit_history: "everyone",
  emoji_version: 0,
  default_channel_id: general,
  created_at: "2026-11-20T09:00:00.000Z",
  role: "owner",
};

const apply = (event: Event) => applyEvent(cache, event);
const channels = () => cache.client.getQueryData<Channel[]>(keys.channels) ?? [];
const theChannel = () => channels().find(({ id }) => id === general);
const timeline = () => cache.client.getQueryData<Timeline>(keys.timeline(general));
const load = (...items: Parameters<typeof mergePage>[1]) =>
  cache.client.setQueryData<Timeline>(keys.timeline(general), mergePage(unloaded, items));

test("a message of another counts as unread, one's own as read", () => {
  load();
  apply({ type: "MESSAGE", payload: message(1) });
  expect(theChannel()).toMatchObject({ last_seq: 1, unread_count: 1 });
  apply({ type: "MESSAGE", payload: message(2, { author: alice, nonce: "n" }) });
  expect(theChannel()).toMatchObject({ last_seq: 2, last_read_seq: 2, unread_count: 0 });
  expect(settled).toHaveBeenCalledWith("n");
  expect(timeline()?.items.map(({ seq }) => seq)).toEqual([1, 2]);
});

test("mentions count until they are read, taken back or deleted", () => {
  const named = { kind: "user", user_id: alice.id, name: "alice" } as const;
  const sent = (seq: number, ...mentions: Message["mentions"]) =>
    apply({ type: "MESSAGE", payload: message(seq, { mentions }) });
  sent(1, named);
  sent(2, { kind: "user", user_id: bob.id, name: "bob" });
  sent(3, { kind: "channel", name: "channel" });
  sent(4, { kind: "here", name: "here" });
  expect(theChannel()).toMatchObject({ unread_count: 4, mention_count: 3, unread_mentions: [1, 3, 4] });
  const edited = { version: 5, edited_at: "2026-11-20T10:00:00.000Z" };
  apply({ type: "MESSAGE", payload: message(1, { ...edited, mentions: [] }) });
  expect(theChannel()).toMatchObject({ mention_count: 2, unread_mentions: [3, 4] });
  apply({
    type: "READ_RECEIPT",
    payload: { channel_id: general, user_id: alice.id, message_id: "m3", seq: 3 },
  });
  expect(theChannel()).toMatchObject({ mention_count: 1, unread_mentions: [4] });
  apply({ type: "CHANNEL", payload: { action: "updated", channel: channel({ last_seq: 4, version: 6 }) } });
  expect(theChannel()).toMatchObject({ mention_count: 1, unread_mentions: [4] });
  apply({
    type: "READY",
    payload: ready({ channels: [joined({ last_seq: 4, version: 6, unread_count: 4 })] }),
  });
  expect(theChannel()).toMatchObject({ mention_count: 0, unread_mentions: [] });
});

test("what a channel no longer keeps is neither shown nor counted", () => {
  load(message(1), message(2), message(3));
  apply({ type: "READY", payload: ready({ channels: [joined({ last_seq: 3, version: 3 })] }) });
  expect(theChannel()).toMatchObject({ unread_count: 3 });
  const changed = channel({ last_seq: 3, first_seq: 3, version: 4 });
  apply({ type: "CHANNEL", payload: { action: "updated", channel: changed } });
  expect(theChannel()).toMatchObject({ unread_count: 1, first_seq: 3 });
  expect(timeline()?.items.map(({ seq }) => seq)).toEqual([3]);
});

test("an edit changes the message and counts nothing", () => {
  load(message(1));
  apply({
    type: "MESSAGE",
    payload: message(1, { version: 5, content: "new", edited_at: "2026-11-20T10:00:00.000Z" }),
  });
  expect(timeline()?.items[0]?.content).toBe("new");
  apply({ type: "MESSAGE", payload: message(1, { version: 3, content: "late" }) });
  expect(timeline()?.items[0]?.content).toBe("new");
});

test("who leaves a group is no longer among its people, a direct message of two stays theirs", () => {
  for (const kind of ["group", "dm"] as const) {
    const state = joined({ kind, name: "", is_default: false, version: 1, people: [alice, bob] });
    apply({ type: "CHANNEL", payload: { action: "created", channel: state } });
    apply({ type: "MEMBER", payload: memberChange("left", bob, 2) });
    expect(theChannel()?.people).toEqual(kind === "group" ? [alice] : [alice, bob]);
    apply({ type: "MEMBER", payload: memberChange("joined", bob, 3) });
    expect(theChannel()?.people).toEqual([alice, bob]);
    apply({ type: "MEMBER", payload: memberChange("left", alice, 4) });
    expect(theChannel()).toBeUndefined();
  }
});

test("a channel whose messages nobody loaded gathers none", () => {
  apply({ type: "MESSAGE", payload: message(1) });
  expect(timeline()).toBeUndefined();
});

test("a channel keeps what is one's own when it is changed for everyone", () => {
  apply({ type: "MESSAGE", payload: message(1) });
  apply({
    type: "CHANNEL",
    payload: { action: "updated", channel: channel({ name: "all", version: 2, last_seq: 1 }) },
  });
  expect(theChannel()).toMatchObject({ name: "all", joined: true, last_read_seq: 0, unread_count: 1 });
});

test("created for oneself is in the list, created for all can be browsed", () => {
  cache.client.setQueryData<Channel[]>(keys.browse("20"), [joined()]);
  apply({ type: "CHANNEL", payload: { action: "created", channel: joined({ id: "11", name: "a" }) } });
  apply({ type: "CHANNEL", payload: { action: "created", channel: channel({ id: "12", name: "b" }) } });
  expect(channels().map(({ id }) => id)).toEqual([general, "11"]);
  expect(cache.client.getQueryData<Channel[]>(keys.browse("20"))?.map(({ id }) => id)).toEqual([
    general,
    "11",
    "12",
  ]);
});

test("deleted and left channels go", () => {
  load(message(1));
  apply({ type: "MEMBER", payload: memberChange("left", alice, 3) });
  expect(channels()).toEqual([]);
  expect(timeline()).toBeUndefined();
  apply({ type: "READY", payload: ready() });
  apply({ type: "CHANNEL", payload: { action: "deleted", channel: channel({ version: 4 }) } });
  expect(channels()).toEqual([]);
});

test("who is out of a public channel still sees it, but a visitor does not", () => {
  const key = keys.browse("20");
  const browsed = () => cache.client.getQueryData<Channel[]>(key)?.map(({ id }) => id);
  for (const role of ["member", "visitor"] as const) {
    apply({ type: "READY", payload: ready({ workspaces: [{ ...workspace, role }] }) });
    cache.client.setQueryData<Channel[]>(key, [joined()]);
    apply({ type: "MEMBER", payload: memberChange("left", alice, 3) });
    expect(browsed()).toEqual(role === "member" ? [general] : []);
  }
});

test("who was a visitor and is one of the workspace asks who is there and what else there is", () => {
  apply({ type: "READY", payload: ready({ workspaces: [{ ...workspace, role: "visitor" }] }) });
  const key = keys.browse("20");
  cache.client.setQueryData<Channel[]>(key, [joined()]);
  const { role: _, ...forAll } = workspace;
  apply({ type: "WORKSPACE", payload: { ...forAll, name: "Yard" } });
  expect([watchAnew.mock.calls.length, cache.client.getQueryState(key)?.isInvalidated]).toEqual([0, false]);
  apply({ type: "WORKSPACE", payload: { ...workspace, role: "member" } });
  expect([watchAnew.mock.calls.length, cache.client.getQueryState(key)?.isInvalidated]).toEqual([1, true]);
});

test("members come and go, once in the list and once in the count", () => {
  const key = keys.channelMembers(general);
  cache.client.setQueryData<MemberPages>(key, {
    pages: [{ items: [member(alice)] }],
    pageParams: [undefined],
  });
  const names = () =>
    cache.client
      .getQueryData<MemberPages>(key)
      ?.pages.flatMap(({ items }) => items.map(({ user }) => user.username));
  apply({ type: "MEMBER", payload: memberChange("joined", bob, 1) });
  expect([names(), theChannel()?.member_count]).toEqual([["alice", "bob"], 3]);
  apply({ type: "MEMBER", payload: memberChange("left", bob, 2) });
  expect([names(), theChannel()?.member_count]).toEqual([["alice"], 2]);
  applyChanges(cache, {
    channel: joined({ version: 3, member_count: 7 }),
    messages: [],
    members: [memberChange("joined", bob, 3)],
    version: 3,
    more: false,
  });
  expect([names(), theChannel()?.member_count]).toEqual([["alice", "bob"], 7]);
});

test("a read mark never goes back; those of others are kept apart", () => {
  apply({ type: "MESSAGE", payload: message(3) });
  const mark = { channel_id: general, message_id: "m", user_id: alice.id };
  apply({ type: "READ_RECEIPT", payload: { ...mark, seq: 2 } });
  apply({ type: "READ_RECEIPT", payload: { ...mark, seq: 1 } });
  expect(theChannel()).toMatchObject({ last_read_seq: 2, unread_count: 1 });
  apply({ type: "READ_RECEIPT", payload: { ...mark, user_id: bob.id, seq: 3 } });
  expect(theChannel()).toMatchObject({ last_read_seq: 2 });
  expect(cache.client.getQueryData(keys.reads(general))).toEqual({ [bob.id]: 3 });
});

test("what is deleted is not unread, and does not mention", () => {
  const gone = { deleted_at: "2026-11-20T09:01:00.000Z", content: "" };
  apply({ type: "MESSAGE", payload: message(1) });
  apply({ type: "MESSAGE", payload: message(2) });
  apply({ type: "MESSAGE", payload: message(1, { version: 3, ...gone }) });
  expect(theChannel()).toMatchObject({ unread_count: 1, unread_skipped: [1] });
  apply({
    type: "READ_RECEIPT",
    payload: { channel_id: general, message_id: "m", user_id: alice.id, seq: 1 },
  });
  expect(theChannel()).toMatchObject({ unread_count: 1, unread_skipped: [] });
});

test("a mark of a later version moves back, and an older one does not undo it", () => {
  apply({ type: "MESSAGE", payload: message(1) });
  apply({ type: "MESSAGE", payload: message(2, { author: alice, user: alice }) });
  expect(theChannel()).toMatchObject({ last_read_seq: 2, unread_count: 0 });
  const back = { version: 2, last_seq: 2, last_read_seq: 0, read_version: 1, unread_skipped: [2] };
  const told = (change: Partial<Channel>) =>
    applyChanges(cache, { channel: joined(change), messages: [], members: [], version: 2, more: false });
  told(back);
  expect(theChannel()).toMatchObject({ last_read_seq: 0, read_version: 1, unread_count: 1 });
  told({ version: 2, last_seq: 2, last_read_seq: 2 });
  const late = { channel_id: general, message_id: "m", user_id: alice.id, seq: 2, read_version: 0 };
  apply({ type: "READ_RECEIPT", payload: late });
  apply({ type: "MESSAGE", payload: message(2, { version: 3, author: alice, user: alice }) });
  expect(theChannel()).toMatchObject({ last_read_seq: 0, unread_count: 1 });
  apply({ type: "READ_RECEIPT", payload: { ...late, read_version: 1 } });
  expect(theChannel()).toMatchObject({ last_read_seq: 2, unread_count: 0 });
});

test("typing ends with the message", () => {
  apply({ type: "TYPING", payload: { channel_id: general, user_id: bob.id, typing: true } });
  expect(useTypingStore.getState().channels[general]).toEqual([bob.id]);
  apply({ type: "MESSAGE", payload: message(1) });
  expect(useTypingStore.getState().channels[general]).toEqual([]);
});

test("in a crowd the number is known, and of people only what was told last", () => {
  const there = () => Object.keys(cache.client.getQueryData<object>(keys.presence) ?? {});
  const count = (named: boolean) => ({ workspace_id: "1", online: 1_204, named });
  apply({ type: "PRESENCE", payload: { user_id: bob.id, status: "online" } });
  apply({ type: "READY", payload: ready({ online: [{ workspace_id: "1", online: 2, named: true }] }) });
  apply({ type: "PRESENCE", payload: { user_id: bob.id, status: "online" } });
  apply({ type: "ONLINE", payload: count(false) });
  expect(cache.client.getQueryData(keys.online)).toEqual({ "1": count(false) });
  apply({ type: "ONLINE", payload: count(false) });
  expect(watchAnew).toHaveBeenCalledTimes(1);
  expect(there()).toEqual([bob.id]);
  const own = { user_id: alice.id, status: "away" } as const;
  apply({ type: "WATCHED", payload: { presence: [own], online: [count(true)] } });
  expect(there()).toEqual([alice.id]);
  expect(cache.client.getQueryData(keys.online)).toEqual({ "1": count(true) });
});

test("presence and workspaces are taken in", () => {
  apply({ type: "PRESENCE", payload: { user_id: bob.id, status: "away" } });
  expect(cache.client.getQueryData<Record<string, Presence>>(keys.presence)?.[bob.id]?.status).toBe("away");
  apply({ type: "READY", payload: ready({ workspaces: [workspace] }) });
  const { role: _, ...forAll } = workspace;
  apply({ type: "WORKSPACE", payload: { ...forAll, name: "Crew" } });
  expect(cache.client.getQueryData(keys.workspaces)).toEqual([{ ...workspace, name: "Crew" }]);
});

test("emoji follow their changes, and are read anew after a missed one", () => {
  const key = keys.emoji("20");
  const cat = {
    id: "30",
    name: "cat",
    media_type: "image/png",
    width: 20,
    height: 20,
    created_by: bob.id,
    created_at: "2026-11-20T09:00:00.000Z",
  };
  const told = (action: "created" | "deleted", version: number) =>
    apply({ type: "EMOJI", payload: { action, workspace_id: "20", emoji: cat, version } });
  const stale = () => cache.client.getQueryState(key)?.isInvalidated;
  cache.client.setQueryData(key, { items: [], version: 3 });
  told("created", 4);
  expect(cache.client.getQueryData(key)).toEqual({ items: [cat], version: 4 });
  told("created", 4);
  told("deleted", 5);
  expect(cache.client.getQueryData(key)).toEqual({ items: [], version: 5 });
  expect(stale()).toBe(false);
  told("created", 7);
  expect(stale()).toBe(true);
});

test("channels missing in READY are left", () => {
  apply({ type: "READY", payload: ready({ channels: [] }) });
  expect(channels()).toEqual([]);
});

test("a reaction is counted where its message is loaded", () => {
  load(message(1));
  const payload = {
    channel_id: general,
    message_id: "m1",
    emoji: "👍",
    user_id: alice.id,
    added: true,
    version: 2,
  };
  apply({ type: "REACTION", payload });
  expect(timeline()?.items[0]).toMatchObject({
    version: 2,
    reactions: [{ emoji: "👍", count: 1, me: true }],
  });
});

test("notifications are counted by the newest version and kept as they are", () => {
  const { client } = cache;
  const count = (unread: number, version: number) => ({ unread, version });
  const one = (id: string) =>
    ({
      id,
      kind: "mention",
      workspace_id: "20",
      channel_id: general,
      message_id: "m",
      author: bob,
      excerpt: "hi",
      created_at: "2026-11-20T09:00:00.000Z",
      silent: false,
      read: false,
    }) as const;
  client.setQueryData(keys.notifications, []);
  apply({ type: "NOTIFICATION", payload: { notification: one("1"), count: count(1, 1) } });
  apply({ type: "NOTIFICATION", payload: { notification: one("2"), count: count(2, 2) } });
  apply({ type: "NOTIFICATIONS", payload: { read: ["1"], removed: ["2"], count: count(0, 4) } });
  apply({ type: "NOTIFICATION", payload: { notification: one("3"), count: count(1, 3) } });
  expect(client.getQueryData(keys.notificationCount)).toEqual(count(0, 4));
  expect(client.getQueryData(keys.notifications)).toEqual([{ ...one("1"), read: true }]);
  expect(client.getQueryState(keys.notifications)?.isInvalidated).toBe(true);
});

test("who leaves is out before the event tells, and nothing happens when it does", () => {
  leaveChannel(cache, general);
  expect(theChannel()).toBeUndefined();
  apply({ type: "MEMBER", payload: memberChange("left", alice, 2) });
  expect(theChannel()).toBeUndefined();
});
