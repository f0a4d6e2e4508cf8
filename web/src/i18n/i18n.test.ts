/** Tests that the languages agree and that the right one is chosen. */
import { beforeAll, expect, test } from "vitest";

import { en } from "./en";
import { chooseLanguage, initialLanguage, pickLanguage, startI18n } from "./index";
import { ko } from "./ko";

const i18n = startI18n("en");

beforeAll(() => localStorage.clear());

/** Every text under its dotted key. */
function flatten(texts: object, prefix = ""): Map<string, string> {
  const flat = new Map<string, string>();
  const entries: [string, unknown][] = Object.entries(texts);
  for (const [key, value] of entries) {
    if (typeof value === "string") flat.set(prefix + key, value);
    else if (typeof value === "object" && value !== null)
      for (const [k, v] of flatten(value, `${prefix}${key}.`)) flat.set(k, v);
  }
  return flat;
}

/** The names in `{{…}}`, without formats. */
function placeholders(text: string): string[] {
  return [...text.matchAll(/\{\{\s*(\w+)/g)].map((found) => found[1] ?? "").sort();
}

test("each Korean text has the placeholders of the English one", () => {
  const english = flatten(en);
  for (const [key, text] of flatten(ko)) {
    expect(placeholders(text), key).toEqual(placeholders(english.get(key) ?? ""));
  }
});

test("the first language that the client speaks is taken, whatever the region", () => {
  expect(pickLanguage(["fr-FR", "ko-KR", "en"])).toBe("ko");
  expect(pickLanguage(["xx"])).toBe("en");
});

test("a choice is shown, told to the page and kept", async () => {
  await chooseLanguage("ko");
  expect(i18n.t("channels.members", { count: 1 })).toBe("멤버 1명");
  expect(document.documentElement.lang).toBe("ko");
  expect(initialLanguage()).toBe("ko");
  await chooseLanguage("en");
  expect(i18n.t("channels.members", { count: 1 })).toBe("1 member");
});

test("a particle fits the name before it", async () => {
  await chooseLanguage("ko");
  expect(i18n.t("channels.leaveTitle", { name: "#일반" })).toBe("#일반을 나갈까요?");
  expect(i18n.t("channels.leaveTitle", { name: "#회의" })).toBe("#회의를 나갈까요?");
});
