/** Tests of the list of channels. */
import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeAll, expect, test, vi } from "vitest";

import { startI18n } from "../i18n";
import { ChannelList } from "./ChannelList";

beforeAll(() => void startI18n("en"));
afterEach(cleanup);

function show() {
  const onOpen = vi.fn();
  render(
    <ChannelList
      channels={[
        { id: "1", name: "general", kind: "public", unread: 0 },
        { id: "2", name: "비밀", kind: "private", unread: 3, mentions: 1 },
        { id: "3", name: "random", kind: "public", unread: 120 },
        { id: "4", name: "Bob", kind: "direct", unread: 0 },
      ]}
      currentId="1"
      addressOf={(id) => `/c/${id}`}
      onOpen={onOpen}
    />,
  );
  return { onOpen, link: (name: string) => screen.getByRole("link", { name }) };
}

test("public and private channels and direct messages stand apart, and each tells what it is", () => {
  const { link } = show();
  const open = screen.getByRole("list", { name: "Channels" });
  expect(
    within(open)
      .getAllByRole("link")
      .map((each) => each.getAttribute("href")),
  ).toEqual(["/c/1", "/c/3"]);
  expect(within(screen.getByRole("list", { name: "Direct messages" })).getByRole("link").textContent).toBe(
    "Bob",
  );
  expect(link("general").getAttribute("aria-current")).toBe("page");
  expect(link("비밀, private channel, 3 unread messages, 1 mention of you").textContent).toContain("@ 3");
  expect(link("random, 120 unread messages").textContent).toContain("99+");
});

test("a plain click opens here, another is the browser's", () => {
  const { link, onOpen } = show();
  expect(fireEvent.click(link("general"), { ctrlKey: true })).toBe(true);
  expect(onOpen).not.toHaveBeenCalled();
  expect(fireEvent.click(link("general"))).toBe(false);
  expect(onOpen).toHaveBeenCalledWith("1");
});

test("the arrow keys go round", () => {
  const { link } = show();
  link("general").focus();
  fireEvent.keyDown(link("general"), { key: "ArrowUp" });
  expect(document.activeElement).toBe(link("Bob"));
});
