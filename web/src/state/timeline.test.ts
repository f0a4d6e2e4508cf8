/** The window of loaded messages: order, holes, versions. */
import { expect, test } from "vitest";

import { message } from "../api/fixtures";
import { hasNewer, hasOlder, mergePage, mergeStates, trim, unloaded, type Timeline } from "./timeline";

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
