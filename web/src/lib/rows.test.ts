/** Tests of grouping. */
import { expect, test } from "vitest";

import { rowsOf, type ListedMessage } from "./rows";

/** A message by `author` at a minute of 3 August 2026. */
function message(
  seq: number,
  author: string,
  minute: number,
  more: Partial<ListedMessage> = {},
): ListedMessage {
  return {
    key: `m${seq}`,
    id: String(seq),
    seq,
    author: { id: author, name: author },
    content: "hi",
    createdAt: new Date(2026, 7, 3, 9, minute).toISOString(),
    state: "sent",
    own: author === "me",
    canEdit: false,
    canDelete: false,
    reactions: [],
    canReact: false,
    ...more,
  };
}

/** The keys of the rows that have something. */
function which(rows: ReturnType<typeof rowsOf>, mark: "head" | "day" | "unread"): string[] {
  return rows.filter((row) => row[mark]).map((row) => row.key);
}

test("an author's messages stand together for five minutes", () => {
  const rows = rowsOf(
    [message(1, "alice", 0), message(2, "alice", 4), message(3, "alice", 5), message(4, "bob", 5)],
    { hasOlder: false },
  );
  expect(which(rows, "head")).toEqual(["m1", "m3", "m4"]);
  expect(which(rows, "day")).toEqual(["m1"]);
});

test("a new day begins a new turn", () => {
  const late = message(1, "alice", 0, { createdAt: new Date(2026, 7, 2, 23, 59).toISOString() });
  const rows = rowsOf(
    [late, message(2, "alice", 0, { createdAt: new Date(2026, 7, 3, 0, 1).toISOString() })],
    {
      hasOlder: true,
    },
  );
  expect(which(rows, "day")).toEqual(["m2"]);
  expect(which(rows, "head")).toEqual(["m1", "m2"]);
});

test("the unread line is above the first message of another after the place read", () => {
  const messages = [message(1, "bob", 0), message(2, "me", 1), message(3, "bob", 2), message(4, "bob", 3)];
  expect(which(rowsOf(messages, { hasOlder: false, readSeq: 1 }), "unread")).toEqual(["m3"]);
  expect(which(rowsOf(messages, { hasOlder: false, readSeq: 3 }), "unread")).toEqual(["m4"]);
  expect(which(rowsOf(messages, { hasOlder: false, readSeq: 4 }), "unread")).toEqual([]);
  expect(which(rowsOf(messages, { hasOlder: false }), "unread")).toEqual([]);
});

test("there is no unread line while its place is not loaded", () => {
  const messages = [message(8, "bob", 0), message(9, "bob", 1)];
  expect(which(rowsOf(messages, { hasOlder: true, readSeq: 3 }), "unread")).toEqual([]);
  expect(which(rowsOf(messages, { hasOlder: true, readSeq: 7 }), "unread")).toEqual(["m8"]);
});

test("a pending message stands with its author's others", () => {
  const rows = rowsOf([message(1, "me", 0), message(2, "me", 1, { seq: null, id: null, state: "pending" })], {
    hasOlder: false,
    readSeq: 0,
  });
  expect(which(rows, "head")).toEqual(["m1"]);
  expect(which(rows, "unread")).toEqual([]);
});
