/** Who shows otherwise does so wherever they show, and what was missed is asked for. */
import { QueryClient } from "@tanstack/react-query";
import { expect, test, vi } from "vitest";

import { alice, bob, joined, member, message } from "../api/fixtures";
import type { User, UserChanges } from "../api/types";
import { profileChanges, Profiles, shownAs } from "./profiles";

const created_at = "2026-11-20T09:00:00.000Z";
const called = (display_name: string, change: Partial<User> = {}): User => ({
  ...bob,
  display_name,
  guest: false,
  created_at,
  ...change,
});

function profiles(...answers: UserChanges[]) {
  const client = new QueryClient();
  client.setQueryData(["timeline", "10"], { items: [message(1), message(2, { author: alice })] });
  const fetchChanges = vi.fn<(after: number) => Promise<UserChanges>>();
  for (const answer of answers) fetchChanges.mockResolvedValueOnce(answer);
  const name = () =>
    client.getQueryData<{ items: { author: { display_name: string } }[] }>(["timeline", "10"])?.items[0]
      ?.author.display_name;
  return { profiles: new Profiles({ client, fetchChanges }), fetchChanges, name };
}

test("someone shows otherwise in messages, lists and titles, and nothing else changes", () => {
  const data = {
    messages: [message(1), message(2, { author: alice })],
    members: { pages: [{ items: [member(alice), member(bob)] }] },
    direct: joined({ kind: "dm", people: [alice, bob] }),
  };
  const summary = { ...bob, display_name: "밥", avatar_url: "/b" };
  expect(shownAs(data, called("밥", { avatar_url: "/b", about: "hi" }))).toEqual({
    messages: [message(1, { author: summary }), data.messages[1]],
    members: { pages: [{ items: [member(alice), member(summary)] }] },
    direct: joined({ kind: "dm", people: [alice, summary] }),
  });
  expect(shownAs(data.messages[1], called("밥"))).toBe(data.messages[1]);
});

test("one's own profile is whole, with what only oneself knows", () => {
  const me = called("Bob", { email: "b@example.org", about: "gone" });
  expect(shownAs(me, called("밥", { time_zone: "Asia/Seoul" }))).toEqual(
    called("밥", { time_zone: "Asia/Seoul", email: "b@example.org" }),
  );
});

test("what was missed is asked for once, page by page", async () => {
  const {
    profiles: known,
    fetchChanges,
    name,
  } = profiles(
    { users: [called("Bobby")], version: 2, more: true },
    { users: [called("Robert")], version: 5, more: false },
  );
  known.begin(1);
  known.begin(5);
  await vi.waitFor(() => expect(name()).toBe("Robert"));
  expect(fetchChanges.mock.calls).toEqual([[1], [2]]);
  known.begin(5);
  expect(fetchChanges).toHaveBeenCalledTimes(2);
});

test("what is older than what was heard does not take its place", async () => {
  const {
    profiles: known,
    fetchChanges,
    name,
  } = profiles({ users: [called("old")], version: 3, more: false });
  known.begin(1);
  known.begin(3);
  known.heard({ user: called("new"), version: 4 });
  await vi.waitFor(() => expect(fetchChanges).toHaveBeenCalled());
  await Promise.resolve();
  expect(name()).toBe("new");
  known.heard({ user: called("late"), version: 2 });
  expect(name()).toBe("new");
});

test("of a form only what was changed is said, and nothing where that is nothing", () => {
  const me = called("Bob", { about: "hi" });
  const form = { display_name: "Bob ", about: "hi", time_zone: "" };
  expect(profileChanges(me, form)).toBeUndefined();
  expect(profileChanges(me, { ...form, about: "" })).toEqual({ about: "" });
  expect(profileChanges(me, { display_name: "밥", about: "hi", time_zone: "Asia/Seoul" })).toEqual({
    display_name: "밥",
    time_zone: "Asia/Seoul",
  });
});
