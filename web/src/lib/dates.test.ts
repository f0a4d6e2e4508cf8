/** Tests of times in both languages. */
import { expect, test } from "vitest";

import { dayOf, formatDay, formatTime } from "./dates";

const now = new Date(2026, 7, 3, 15, 4);

test("days near now have names, others a date, with the year when it is another", () => {
  expect(formatDay(new Date(2026, 7, 3, 0, 0), "en", now)).toBe("Today");
  expect(formatDay(new Date(2026, 7, 2, 23, 59), "en", now)).toBe("Yesterday");
  expect(formatDay(new Date(2026, 7, 1), "ko", now)).toBe("8월 1일 토요일");
  expect(formatDay(new Date(2025, 11, 31), "ko", now)).toBe("2025년 12월 31일 수요일");
  expect(formatDay(new Date(2026, 6, 31), "ko", new Date(2026, 7, 1))).toBe("어제");
});

test("the time of day is told as people tell it", () => {
  expect(formatTime(now, "ko")).toBe("오후 3:04");
  expect(formatTime(now, "en")).toMatch(/^3:04\sPM$/);
});

test("one day is one key", () => {
  expect(dayOf(new Date(2026, 0, 1, 0, 0))).toBe(dayOf(new Date(2026, 0, 1, 23, 59)));
  expect(dayOf(new Date(2026, 0, 11))).not.toBe(dayOf(new Date(2026, 10, 1)));
});
