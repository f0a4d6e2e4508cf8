/** Tests of what stands for someone without a picture. */
import { expect, test } from "vitest";

import { colourOf, initialsOf, personColours } from "./colour";

test.each([
  ["김지민", "지민"],
  ["남궁민수", "민수"],
  ["민", "민"],
  ["김지민".normalize("NFD"), "지민"],
  ["Alice Kim", "AK"],
  ["alice", "A"],
  ["alice.b.kim", "AK"],
  ["👩‍💻 dev", "👩‍💻D"],
  ["", "?"],
])("%s is %s", (name, initials) => {
  expect(initialsOf(name)).toBe(initials);
});

test("an id keeps its colour, and neighbours differ", () => {
  expect(colourOf("100")).toBe(colourOf("100"));
  const used = new Set(Array.from({ length: 100 }, (_, n) => colourOf(String(7_000_000 + n))));
  expect(used.size).toBe(personColours.length);
});

test("white can be read on each", () => {
  for (const colour of personColours) {
    const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
      const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    expect(1.05 / (0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05), colour).toBeGreaterThanOrEqual(4.5);
  }
});
