/** What is said of oneself, and until when. */
import { expect, test } from "vitest";

import type { Presence } from "../api/types";
import { statusBody, statusText, type Said } from "./status";

const now = new Date("2026-11-20T09:00:00.000Z");
const end = "2026-11-20T10:00:00.000Z";
const before: Presence = { user_id: "1", status: "dnd", custom_status: "점심", dnd_until: end };
const said = (change: Partial<Said>): Said => ({
  status: "online",
  words: "",
  emoji: "",
  duration: "always",
  ...change,
});

test("emoji and words stand on one line", () => {
  expect(statusText({ ...before, emoji: "🍜" })).toBe("🍜 점심");
  expect(statusText(before)).toBe("점심");
  expect(statusText(undefined)).toBe("");
});

test("an end is said of what has one", () => {
  expect(statusBody(said({ duration: 60 }), before, now)).toEqual({ status: "online" });
  expect(statusBody(said({ words: " 점심 ", duration: 60 }), before, now)).toEqual({
    status: "online",
    custom_status: "점심",
    expires_at: end,
  });
  expect(statusBody(said({ status: "dnd", emoji: "🎧", duration: 60 }), undefined, now)).toEqual({
    status: "dnd",
    emoji: "🎧",
    expires_at: end,
    dnd_until: end,
  });
});

test("an end that was said before stays when it is to", () => {
  expect(statusBody(said({ status: "dnd", duration: "kept" }), before, now)).toEqual({
    status: "dnd",
    dnd_until: end,
  });
  expect(statusBody(said({ status: "dnd" }), before, now)).toEqual({ status: "dnd" });
});
