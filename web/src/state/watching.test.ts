/** Who is watched. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Watching } from "./watching";

const say = vi.fn<(userIds: string[]) => void>();
let watching: Watching;

beforeEach(() => {
  vi.useFakeTimers();
  say.mockReset();
  watching = new Watching(say);
});

afterEach(() => {
  vi.useRealTimers();
});

test("those on the screen are said once, and only when they are others", () => {
  for (const id of ["3", "1", "2"]) watching.add(id);
  watching.remove("2");
  vi.runAllTimers();
  expect(say.mock.calls).toEqual([[["1", "3"]]]);
  watching.add("4");
  watching.remove("4");
  vi.runAllTimers();
  expect(say).toHaveBeenCalledTimes(1);
  watching.remove("1");
  watching.remove("3");
  vi.runAllTimers();
  expect(say).toHaveBeenLastCalledWith([]);
});

test("someone who is shown twice is watched until both are gone", () => {
  watching.add("1");
  watching.add("1");
  watching.remove("1");
  vi.runAllTimers();
  expect(say).toHaveBeenLastCalledWith(["1"]);
});

test("a new connection is told whom to watch, if anyone", () => {
  watching.connected();
  expect(say).not.toHaveBeenCalled();
  watching.add("1");
  vi.runAllTimers();
  watching.connected();
  expect(say.mock.calls).toEqual([[["1"]], [["1"]]]);
});

test("not more are said than the server takes", () => {
  for (let id = 0; id < 150; id += 1) watching.add(`${id}`);
  vi.runAllTimers();
  expect(say.mock.calls[0]?.[0]).toHaveLength(100);
});
