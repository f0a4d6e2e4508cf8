/** Who may write in a channel, as the server decides it. */

import { expect, test } from "vitest";

import type { Channel, Override, Role } from "../api/types";
import { mayLinkGuests, mayLookAround, mayModerate, mayWrite } from "./permissions";

function channel(overrides: Override[]): Channel {
  return {
    id: "1",
    workspace_id: "2",
    kind: "public",
    name: "news",
    topic: "",
    is_default: false,
    member_count: 2,
    last_seq: 0,
    version: 1,
    created_at: "2026-11-20T09:00:00.000Z",
    joined: true,
    overrides,
  };
}

const roles: readonly Role[] = ["visitor", "guest", "member", "moderator", "admin", "owner"];
const closed: Override = { role: "member", deny: ["write"] };

function writers(...overrides: Override[]): boolean[] {
  return roles.map((role) => mayWrite(role, channel(overrides), "me"));
}

test("a deny for a role holds for the smaller ones, and never for admins", () => {
  expect(writers()).toEqual([true, true, true, true, true, true]);
  expect(writers(closed)).toEqual([false, false, false, true, true, true]);
  expect(writers({ role: "moderator", deny: ["write"] })).toEqual([false, false, false, false, true, true]);
  expect(writers({ role: "member", deny: ["pin"] })).toEqual([true, true, true, true, true, true]);
});

test("what is said of a person counts before that", () => {
  expect(writers(closed, { user_id: "me", allow: ["write"] })).toEqual([true, true, true, true, true, true]);
  expect(writers({ user_id: "me", deny: ["write"] })).toEqual([false, false, false, false, true, true]);
  expect(writers(closed, { user_id: "other", allow: ["write"] })).toEqual([
    false,
    false,
    false,
    true,
    true,
    true,
  ]);
});

test("moderators delete other people's messages", () => {
  expect(roles.map((role) => mayModerate(role, channel([])))).toEqual([
    false,
    false,
    false,
    true,
    true,
    true,
  ]);
});

test("a visitor looks around nowhere, and guest links are the moderators'", () => {
  expect(roles.map((role) => mayLookAround(role))).toEqual([false, true, true, true, true, true]);
  expect(roles.map((role) => mayLinkGuests(role, channel([])))).toEqual([
    false,
    false,
    false,
    true,
    true,
    true,
  ]);
});
