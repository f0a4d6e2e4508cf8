/** Tests of lengths and particles. */
import { expect, test } from "vitest";

import { lengthOf, nfc, withParticle } from "./text";

test("a syllable typed in pieces counts once, and so does an emoji", () => {
  expect(lengthOf("마당".normalize("NFD"))).toBe(2);
  expect(nfc("마당".normalize("NFD"))).toBe("마당");
  expect(lengthOf("😀a")).toBe(2);
});

test.each([
  ["마당", "은/는", "마당은"],
  ["회의", "은/는", "회의는"],
  ["일반", "을/를", "일반을"],
  ["서울", "으로/로", "서울로"],
  ["부산", "으로/로", "부산으로"],
  ["마당".normalize("NFD"), "이/가", `${"마당".normalize("NFD")}이`],
  ["general", "을/를", "general을"],
  ["dev", "을/를", "dev를"],
  ["chat", "이/가", "chat이"],
  ["팀3", "과/와", "팀3과"],
  ["팀2", "과/와", "팀2와"],
  ["회의(임시)", "을/를", "회의(임시)를"],
  ["☕", "을/를", "☕을(를)"],
])("%s with %s is %s", (word, pair, expected) => {
  expect(withParticle(word, pair)).toBe(expected);
});
