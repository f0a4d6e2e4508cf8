/** The outbox: order, retries, refusals, reloads. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { ApiError } from "../api/errors";
import type { Message } from "../api/types";
import { alice, message } from "../api/fixtures";
import { clearOutbox, Outbox, useOutboxStore, type Entry } from "./outbox";

let sent: string[];
let answer: (entry: Entry) => Promise<Message>;
let open: Outbox[];

function outbox(userId = alice.id): Outbox {
  const made = new Outbox({
    userId,
    send: (entry) => {
      sent.push(entry.content);
      return answer(entry);
    },
    onSent: () => undefined,
  });
  open.push(made);
  return made;
}

const shown = () => useOutboxStore.getState().entries.map(({ content, state }) => `${content} ${state}`);
const fail = (code: ConstructorParameters<typeof ApiError>[0]) => () =>
  Promise.reject(new ApiError(code, "no"));

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  sent = [];
  open = [];
  answer = (entry) => Promise.resolve(message(1, { nonce: entry.nonce }));
});

afterEach(() => {
  for (const one of open) one.close();
  vi.useRealTimers();
});

test("is sent one after the other and shown until the event comes", async () => {
  const box = outbox();
  box.add("c", "one");
  box.add("c", "two");
  expect(shown()).toEqual(["one waiting", "two waiting"]);
  await vi.advanceTimersByTimeAsync(10);
  expect(sent).toEqual(["one", "two"]);
  expect(shown()).toEqual(["one sent", "two sent"]);
  for (const { nonce } of useOutboxStore.getState().entries) box.settled(nonce);
  expect(shown()).toEqual([]);
  expect(localStorage.length).toBe(0);
});

test("a lost connection keeps the order, and one message is never sent past another", async () => {
  answer = fail("network");
  const box = outbox();
  box.add("c", "one");
  box.add("c", "two");
  await vi.advanceTimersByTimeAsync(5_000);
  expect(new Set(sent)).toEqual(new Set(["one"]));
  sent = [];
  answer = () => Promise.resolve(message(1));
  box.online();
  await vi.advanceTimersByTimeAsync(10);
  expect(sent).toEqual(["one", "two"]);
});

test("goes on after a reload, as the same user only", async () => {
  answer = fail("network");
  const before = outbox();
  before.add("c", "one");
  await vi.advanceTimersByTimeAsync(1);
  before.close();
  sent = [];
  outbox("other").online();
  await vi.advanceTimersByTimeAsync(10);
  expect([sent, shown()]).toEqual([[], []]);
  outbox().online();
  await vi.advanceTimersByTimeAsync(10);
  expect(sent).toEqual(["one"]);
});

test("a refusal stays on its row and lets the next ones through", async () => {
  answer = (entry) => (entry.content === "bad" ? fail("invalid")() : Promise.resolve(message(1)));
  const box = outbox();
  box.add("c", "bad");
  box.add("c", "good");
  await vi.advanceTimersByTimeAsync(10);
  expect(shown()).toEqual(["good sent", "bad failed"]);
  const nonce = useOutboxStore.getState().entries.find(({ state }) => state === "failed")?.nonce ?? "";
  answer = () => Promise.resolve(message(2));
  box.retry(nonce);
  await vi.advanceTimersByTimeAsync(10);
  expect(shown()).toEqual(["good sent", "bad sent"]);
});

test("waits as long as the server says", async () => {
  answer = () => Promise.reject(new ApiError("rate_limited", "slowly", [], 7));
  const box = outbox();
  box.add("c", "one");
  await vi.advanceTimersByTimeAsync(6_900);
  expect(sent).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(200);
  expect(sent).toHaveLength(2);
});

test("a fault of the server is met with patience, not for ever", async () => {
  answer = fail("internal");
  outbox().add("c", "one");
  await vi.advanceTimersByTimeAsync(300_000);
  expect(shown()).toEqual(["one failed"]);
});

test("discarding and signing out throw away", async () => {
  answer = fail("network");
  const box = outbox();
  box.add("c", "one");
  box.add("c", "two");
  box.discard(useOutboxStore.getState().entries[0]?.nonce ?? "");
  expect(shown()).toEqual(["two waiting"]);
  clearOutbox(alice.id);
  expect(localStorage.length).toBe(0);
  await vi.advanceTimersByTimeAsync(1);
});
