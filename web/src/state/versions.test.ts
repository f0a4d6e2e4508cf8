/** Order and gaps: what is applied, and when. */
import { beforeEach, expect, test, vi } from "vitest";

import { ApiError } from "../api/errors";
import type { ChannelChanges, Event } from "../api/types";
import { alice, channel, general, joined, memberChange, message, ready } from "../api/fixtures";
import { Versions } from "./versions";

let log: string[];
let answers: (ChannelChanges | Error)[];
let asked: number[];
let timelines: string[];
let readVersion: number;
let versions: Versions;

const say = (seq: number, version = seq): Event => ({ type: "MESSAGE", payload: message(seq, { version }) });
const changes = (version: number, change: Partial<ChannelChanges> = {}): ChannelChanges => ({
  channel: joined({ version }),
  messages: [],
  members: [],
  version,
  more: false,
  ...change,
});

beforeEach(() => {
  log = [];
  answers = [];
  asked = [];
  timelines = [general];
  readVersion = 0;
  versions = new Versions({
    me: () => alice.id,
    apply: (event) =>
      log.push("payload" in event && event.type === "MESSAGE" ? `m${event.payload.seq}` : event.type),
    applyChanges: ({ messages, version }) =>
      log.push(`changes ${version}: ${messages.map(({ seq }) => seq).join()}`),
    forgetTimeline: () => log.push("forget"),
    fetchChanges: (_, after) => {
      asked.push(after);
      const answer = answers.shift();
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer ?? changes(after));
    },
    readVersion: () => readVersion,
    fetchChannel: () => Promise.resolve(joined({ version: 50 })),
    timelines: () => timelines,
  });
  versions.deliver({ type: "READY", payload: ready({ channels: [joined({ version: 4 })] }) });
  log = [];
});

const quiet = () => vi.waitFor(() => expect(versions.busy(general)).toBe(false));

test("the next one is applied, an old message is left to its own version", () => {
  versions.deliver(say(5));
  versions.deliver(say(3));
  versions.deliver({ type: "MEMBER", payload: memberChange("joined", alice, 2) });
  expect(log).toEqual(["m5", "m3"]);
  expect(versions.knownVersion(general)).toBe(5);
});

test("what is of people and of oneself goes on at once", () => {
  const count = { unread: 1, version: 1 };
  const events: Event[] = [
    { type: "USER", payload: { user: { ...alice, created_at: "", guest: false }, version: 1 } },
    { type: "NOTIFICATIONS", payload: { read: [], removed: [], count } },
    { type: "NOTIFICATION_SETTINGS", payload: { channels: [], workspaces: [], keywords: [], version: 1 } },
  ];
  for (const event of events) versions.deliver(event);
  expect(log).toEqual(events.map(({ type }) => type));
});

test("marked as unread, the channel is asked for before anything goes on", async () => {
  const unread = { channel_id: general, message_id: "1", last_read_seq: 0, read_version: 1 };
  versions.deliver({ type: "UNREAD", payload: unread });
  versions.deliver(say(5));
  expect(log).toEqual(["UNREAD"]);
  readVersion = 1;
  await quiet();
  expect([asked, log]).toEqual([[4], ["UNREAD", "changes 4: ", "UNREAD", "m5"]]);
  versions.deliver({ type: "UNREAD", payload: unread });
  expect(versions.busy(general)).toBe(false);
});

test("a gap is filled before what comes after it", async () => {
  answers = [changes(6, { messages: [message(5), message(6)] })];
  versions.deliver(say(8));
  versions.deliver(say(7));
  expect(log).toEqual([]);
  await quiet();
  expect(log).toEqual(["changes 6: 5,6", "m7", "m8"]);
  expect(asked).toEqual([4]);
});

test("all pages of changes are applied as one, and a lost answer is asked for again", async () => {
  answers = [
    new ApiError("network", "gone"),
    changes(5, { messages: [message(6, { version: 5 })], more: true }),
    changes(6, { messages: [message(5, { version: 6 })] }),
  ];
  versions.deliver(say(7));
  await quiet();
  expect(log).toEqual(["changes 6: 6,5", "m7"]);
  expect(asked).toEqual([4, 4, 5]);
});

test("the heartbeat shows a lost last event", async () => {
  answers = [changes(5, { messages: [message(5)] })];
  versions.deliver({ type: "PONG", payload: { versions: { [general]: 5, other: 9 } } });
  await quiet();
  expect(log).toEqual(["changes 5: 5"]);
  versions.deliver({ type: "PONG", payload: { versions: { [general]: 5 } } });
  expect(versions.busy(general)).toBe(false);
});

test("coming back goes on from the versions of what is loaded", async () => {
  versions.deliver(say(5));
  expect(versions.resume()).toEqual({ [general]: 5 });
  answers = [changes(9)];
  versions.deliver({
    type: "READY",
    payload: ready({
      channels: [joined({ version: 9 })],
      changes: [changes(8, { messages: [message(6)], more: true })],
    }),
  });
  await quiet();
  expect(log).toEqual(["m5", "READY", "changes 8: 6", "changes 9: "]);
  expect(asked).toEqual([8]);
});

test("too far behind, or loaded before it was known where things stand: a page anew", () => {
  versions.resume();
  versions.deliver({
    type: "READY",
    payload: ready({ channels: [joined({ version: 900 })], resync: [general] }),
  });
  expect(log).toEqual(["READY", "forget"]);
  expect(versions.knownVersion(general)).toBe(900);
});

test("nothing happened meanwhile: all stays", () => {
  versions.resume();
  versions.deliver({ type: "READY", payload: ready({ channels: [joined({ version: 4 })] }) });
  expect(log).toEqual(["READY"]);
});

test("RESYNC begins anew", async () => {
  versions.deliver({ type: "RESYNC", payload: { channel_id: general } });
  versions.deliver(say(51));
  await quiet();
  expect(log).toEqual(["changes 50: ", "forget", "m51"]);
});

test("a new connection makes a filling void", async () => {
  let answer: (value: ChannelChanges) => void = () => undefined;
  answers = [];
  versions = new Versions({
    me: () => alice.id,
    apply: (event) => log.push(event.type),
    applyChanges: () => log.push("changes"),
    forgetTimeline: () => log.push("forget"),
    fetchChanges: () => new Promise((resolve) => (answer = resolve)),
    fetchChannel: () => Promise.resolve(joined()),
    readVersion: () => 0,
    timelines: () => [],
  });
  versions.deliver({ type: "READY", payload: ready() });
  versions.deliver(say(5));
  versions.deliver({ type: "READY", payload: ready({ channels: [joined({ version: 5 })] }) });
  answer(changes(3));
  await Promise.resolve();
  expect(log).toEqual(["READY", "READY"]);
  expect(versions.knownVersion(general)).toBe(5);
});

test("channels begin and end", () => {
  versions.deliver({
    type: "CHANNEL",
    payload: { action: "created", channel: joined({ id: "11", version: 1 }) },
  });
  expect(versions.knownVersion("11")).toBe(1);
  versions.deliver({
    type: "CHANNEL",
    payload: { action: "created", channel: joined({ id: "11", version: 1 }) },
  });
  versions.deliver({ type: "CHANNEL", payload: { action: "created", channel: channel({ id: "12" }) } });
  versions.deliver({ type: "MEMBER", payload: memberChange("left", alice, 9) });
  expect(log).toEqual(["CHANNEL", "forget", "CHANNEL", "MEMBER"]);
  expect(versions.knownVersion(general)).toBeUndefined();
  versions.deliver(say(10));
  expect(log).toHaveLength(4);
});
