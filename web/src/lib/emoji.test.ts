/** Emoji in a text. */
import { expect, test } from "vitest";

import { customName, cutAtEmoji } from "./emoji";

const cut = (text: string) =>
  cutAtEmoji(text, (name) => ["cat", "마당냥", "+1"].includes(name)).map(({ text: piece, name }) =>
    name === undefined ? piece : [name],
  );

test("known names are cut out, all else stays text", () => {
  expect(cut("a :cat: b")).toEqual(["a ", ["cat"], " b"]);
  expect(cut(":마당냥::+1:")).toEqual([["마당냥"], ["+1"]]);
  expect(cut("10:30:cat:")).toEqual(["10:30", ["cat"]]);
  expect(cut(":dog: :Cat: :cat")).toEqual([":dog: :Cat: :cat"]);
  expect(cut("")).toEqual([]);
});

test("a reaction names one of the workspace's own between colons", () => {
  expect([customName(":cat:"), customName("👍"), customName("::")]).toEqual(["cat", undefined, undefined]);
});
