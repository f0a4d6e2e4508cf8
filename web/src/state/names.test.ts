/** What channels are called. */
import { expect, test } from "vitest";

import { alice, bob, channel } from "../api/fixtures";
import { titleOf } from "./names";

test("a direct message is called by the others in it, notes to oneself by oneself", () => {
  const direct = (...people: (typeof alice)[]) => channel({ kind: "dm", name: "", people });
  expect(titleOf(direct(alice, bob), alice.id)).toBe("Bob");
  expect(titleOf(direct(alice, bob), bob.id)).toBe("Alice");
  expect(titleOf(direct(alice), alice.id)).toBe("Alice");
  expect(titleOf(channel(), alice.id)).toBe("#general");
});
