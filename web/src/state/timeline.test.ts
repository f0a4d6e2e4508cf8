/** The window of loaded messages: order, holes, versions. */
import { expect, test } from "vitest";

import { message } from "../api/fixtures";
import {
  beginPage,
  endPage,
  hasNewer,
  hasOlder,
  mergePage,
  mergeReaction,
  mergeStates,
  rise,
  trim,
  unloaded,
  type Timeline,
} from "./timeline";

const seqs = (timeline: Timeline) => timeline.items.map(({ seq }) => seq);
const page = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => message(from + at));
const loaded = (from: number, to: number) => mergePage(unloaded, page(from, to));

test("pages that touch are joined, others move the window", () => {
  expect(seqs(mergePage(loaded(5, 7), page(3, 4)))).toEqual([3, 4, 5, 6, 7]);
  expect(seqs(mergePage(loaded(5, 7), page(6, 9)))).toEqual([5, 6, 7, 8, 9]);
  expect(seqs(mergePage(loaded(5, 7), page(20, 21)))).toEqual([20, 21]);
  expect(seqs(mergePage(loaded(5, 7), []))).toEqual([5, 6, 7]);
});

test("a new message is added at the newer end and nowhere else", () => {
  expect(seqs(mergeStates(loaded(5, 7), [message(8)]))).toEqual([5, 6, 7, 8]);
  expect(seqs(mergeStates(loaded(5, 7), [message(9)]))).toEqual([5, 6, 7]);
  expect(seqs(mergeStates(loaded(5, 7), [message(4)]))).toEqual([5, 6, 7]);
  expect(seqs(mergeStates(loaded(1, 0), [message(1)]))).toEqual([1]);
});

test("states ordered by change find their places", () => {
  const states = [
    message(9, { version: 9 }),
    message(8, { version: 10 }),
    message(6, { version: 11, content: "x" }),
  ];
  const timeline = mergeStates(loaded(5, 7), states);
  expect(seqs(timeline)).toEqual([5, 6, 7, 8, 9]);
  expect(timeline.items[1]?.content).toBe("x");
});

test("the newer state of a message stays, whichever comes first", () => {
  const edited = message(6, { version: 20, content: "edited" });
  const one = mergeStates(mergeStates(loaded(5, 7), [edited]), [message(6)]);
  expect(one.items[1]).toEqual(edited);
  expect(mergePage(one, page(5, 8)).items[1]).toEqual(edited);
});

test("what events tell while the first page is under way is kept", () => {
  const gathered = mergeStates(unloaded, [message(8), message(6, { version: 20, content: "edited" })]);
  const timeline = mergePage(gathered, page(5, 7));
  expect(seqs(timeline)).toEqual([5, 6, 7, 8]);
  expect(timeline.items[1]?.content).toBe("edited");
});

test("places tell whether there is more", () => {
  expect([hasOlder(loaded(1, 3)), hasOlder(loaded(2, 3)), hasOlder(loaded(1, 0))]).toEqual([
    false,
    true,
    false,
  ]);
  expect([hasNewer(loaded(1, 3), 3), hasNewer(loaded(1, 3), 4)]).toEqual([false, true]);
});

test("a window that has grown long lets go of its old end", () => {
  const long = loaded(1, 30);
  expect(trim(long, 30, 10)).toBe(long);
  expect(seqs(trim(long, 29, 3))).toEqual([28, 29, 30]);
  expect(hasOlder(trim(long, 29, 3))).toBe(true);
});

test("what a channel no longer keeps goes, and does not come back", () => {
  const risen = rise(loaded(5, 9), 7);
  expect(seqs(risen)).toEqual([7, 8, 9]);
  expect([hasOlder(risen), hasOlder(rise(loaded(9, 9), 7))]).toEqual([false, true]);
  expect(seqs(mergePage(risen, page(5, 8)))).toEqual([7, 8, 9]);
  expect(rise(risen, 6)).toBe(risen);
  const emptied = rise(loaded(1, 3), 4);
  expect(seqs(mergeStates(emptied, [message(2), message(4)]))).toEqual([4]);
});

const reacted = (seq: number, version: number, user: string, added = true) => ({
  channel_id: "10",
  message_id: `m${seq}`,
  emoji: "👍",
  user_id: user,
  added,
  version,
});
const shown = (timeline: Timeline, place: number) =>
  timeline.items[place]?.reactions.map(({ emoji, count, me }) => [emoji, count, me]);

test("reactions are counted once each, and one's own are told apart", () => {
  let timeline = mergeReaction(loaded(5, 7), reacted(6, 8, "2"), false);
  timeline = mergeReaction(timeline, reacted(6, 9, "1"), true);
  expect(shown(timeline, 1)).toEqual([["👍", 2, true]]);
  expect(mergeReaction(timeline, reacted(6, 9, "1"), true)).toBe(timeline);
  const edited = message(6, { version: 10, reactions: [{ emoji: "👍", count: 2 }] });
  timeline = mergeStates(timeline, [edited]);
  expect(shown(timeline, 1)).toEqual([["👍", 2, true]]);
  timeline = mergeReaction(timeline, reacted(6, 11, "1", false), true);
  expect(shown(timeline, 1)).toEqual([["👍", 1, false]]);
  expect(shown(mergeReaction(timeline, reacted(6, 12, "2", false), false), 1)).toEqual([]);
});

test("what is not loaded does not come by an event that cannot tell one's own", () => {
  const edited = message(8, { version: 10, reactions: [{ emoji: "👍", count: 2 }] });
  expect(seqs(mergeStates(loaded(5, 7), [edited]))).toEqual([5, 6, 7]);
});

test("reactions while a page is under way are kept, whether the page knew of them or not", () => {
  const gathered = mergeReaction(unloaded, reacted(6, 20, "1"), true);
  expect(shown(mergePage(gathered, page(5, 7)), 1)).toEqual([["👍", 1, true]]);
  const knew = message(3, { version: 21, reactions: [{ emoji: "👍", count: 1, me: true }] });
  let timeline = mergeReaction(beginPage(loaded(5, 7)), reacted(4, 20, "1"), true);
  timeline = endPage(mergeReaction(timeline, reacted(3, 21, "1"), true), [knew, message(4)]);
  expect([shown(timeline, 0), shown(timeline, 1)]).toEqual([[["👍", 1, true]], [["👍", 1, true]]]);
  expect(timeline).toMatchObject({ fetching: 0, heard: [] });
});
