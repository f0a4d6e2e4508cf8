/**
 * Tests of what the list shows and does. Where it stands after loading is measured in a real browser
 * only: here nothing has a size but the one that is pretended.
 */
import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";

import { startI18n } from "../i18n";
import { rowsOf, type ListedMessage } from "../lib/rows";
import { MessageList, type MessageListProps } from "./MessageList";

beforeAll(() => void startI18n("en"));
beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(600);
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(400);
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(40);
});
afterEach(cleanup);

function message(seq: number, more: Partial<ListedMessage> = {}): ListedMessage {
  return {
    key: `m${seq}`,
    id: String(seq),
    seq,
    author: { id: "1", name: "김지민" },
    content: `message **${seq}**`,
    createdAt: new Date(2026, 7, 3, 9, seq).toISOString(),
    state: "sent",
    own: false,
    canEdit: false,
    canDelete: false,
    reactions: [],
    canReact: false,
    ...more,
  };
}

function show(messages: ListedMessage[], props: Partial<MessageListProps> = {}) {
  const actions = {
    onEdit: vi.fn(),
    onDelete: vi.fn(),
    onRetry: vi.fn(),
    onDiscard: vi.fn(),
    onReact: vi.fn(),
  };
  const calls = { onLoadOlder: vi.fn(), onLoadNewer: vi.fn(), onJumpToNewest: vi.fn() };
  const element = (now: ListedMessage[]) => (
    <MessageList
      rows={rowsOf(now, { hasOlder: false })}
      label="Messages in #general"
      older="none"
      newer="none"
      actions={actions}
      {...calls}
      {...props}
    />
  );
  const { rerender } = render(element(messages));
  return { ...actions, ...calls, become: (now: ListedMessage[]) => rerender(element(now)) };
}

const articles = () => screen.getAllByRole("article");

test("messages show in order under their author's name and the day", () => {
  show([message(1), message(2)], { beginning: "This is where it begins." });
  expect(screen.getByRole("log", { name: "Messages in #general" })).toBeTruthy();
  expect(articles().map((row) => row.dataset["messageId"])).toEqual(["1", "2"]);
  expect(articles()[0]?.textContent).toContain("message 1");
  expect(screen.getAllByText("김지민")).toHaveLength(1);
  expect(screen.getByRole("heading", { level: 2 }).textContent).toContain("August 3");
  expect(screen.getByText("This is where it begins.")).toBeTruthy();
});

test("deleted, edited, pending and failed messages tell what they are", () => {
  const { onRetry, onDiscard } = show([
    message(1, { state: "deleted", content: "" }),
    message(2, { editedAt: new Date(2026, 7, 3, 10, 0).toISOString() }),
    message(3, { state: "pending", id: null, seq: null, own: true }),
    message(4, { state: "failed", id: null, seq: null, own: true, failure: "Too long." }),
  ]);
  expect(screen.getByText("This message was deleted.")).toBeTruthy();
  expect(screen.getByText("(edited)").title).toContain("10:00");
  expect(articles()[2]?.getAttribute("aria-busy")).toBe("true");
  expect(screen.getByText("Not sent: Too long.")).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "Send again" }));
  fireEvent.click(screen.getByRole("button", { name: "Discard" }));
  expect([onRetry, onDiscard].map((call) => call.mock.calls.length)).toEqual([1, 1]);
});

test("actions show on hover, and only those that are allowed", () => {
  const { onEdit } = show([message(1), message(2, { canEdit: true, canDelete: true })]);
  const [first, second] = articles();
  if (first === undefined || second === undefined) throw new Error("two rows expected");
  expect(screen.queryByRole("toolbar")).toBeNull();
  fireEvent.mouseEnter(first);
  expect(
    within(first)
      .getAllByRole("button")
      .map((button) => button.title),
  ).toEqual(["Copy text"]);
  fireEvent.mouseLeave(first);
  fireEvent.mouseEnter(second);
  fireEvent.click(within(second).getByRole("button", { name: "Edit" }));
  expect(onEdit.mock.calls[0]?.[0]).toMatchObject({ id: "2" });
});

test("a long press opens the menu", () => {
  vi.useFakeTimers();
  const { onDelete } = show([message(1, { canDelete: true })]);
  const row = screen.getByRole("article");
  fireEvent.pointerDown(row, { pointerType: "touch", clientX: 10, clientY: 10 });
  vi.advanceTimersByTime(100);
  fireEvent.pointerMove(row, { pointerType: "touch" });
  vi.advanceTimersByTime(1000);
  expect(screen.queryByRole("menu")).toBeNull();
  fireEvent.pointerDown(row, { pointerType: "touch", clientX: 10, clientY: 10 });
  vi.advanceTimersByTime(1000);
  vi.useRealTimers();
  return screen.findByRole("menuitem", { name: "Delete" }).then((item) => {
    fireEvent.click(item);
    expect(onDelete).toHaveBeenCalledTimes(1);
  });
});

test("the arrow keys go from message to message, and one row at a time is reached by Tab", async () => {
  show([message(1), message(2), message(3)]);
  const [first, second, third] = articles();
  expect(articles().map((row) => row.tabIndex)).toEqual([-1, -1, 0]);
  third?.focus();
  if (third) fireEvent.keyDown(third, { key: "ArrowUp" });
  await vi.waitFor(() => expect(document.activeElement).toBe(second));
  if (second) fireEvent.keyDown(second, { key: "Home" });
  await vi.waitFor(() => expect(document.activeElement).toBe(first));
});

test("the message that is edited shows the editor instead of its text", () => {
  show([message(1), message(2)], { editingKey: "m2", renderEditor: ({ id }) => <p>editing {id}</p> });
  expect(articles()[1]?.textContent).toContain("editing 2");
  expect(articles()[1]?.textContent).not.toContain("message 2");
});

test("more is asked for at both ends, and a failure can be tried again", async () => {
  const { onLoadOlder, onLoadNewer } = show([message(1)], { older: "more", newer: "more" });
  const calls = () => [onLoadOlder, onLoadNewer].map((call) => call.mock.calls.length);
  await vi.waitFor(() => expect(calls()).toEqual([1, 1]));
  cleanup();
  const failed = show([message(1)], { older: "failed" });
  expect(failed.onLoadOlder).not.toHaveBeenCalled();
  fireEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(failed.onLoadOlder).toHaveBeenCalledTimes(1);
});

test("a message of another is told to a screen reader when it comes, not when the list opens", () => {
  const { become } = show([message(1)]);
  const live = document.querySelector("[aria-live=polite]");
  expect(live?.textContent).toBe("");
  become([message(1), message(2, { content: "안녕" })]);
  expect(live?.textContent).toBe("김지민: 안녕");
});

test("when newer ones are not loaded the button asks for them", () => {
  const { onJumpToNewest } = show([message(1)], { newer: "more" });
  fireEvent.click(screen.getByRole("button", { name: "To the newest messages" }));
  expect(onJumpToNewest).toHaveBeenCalledTimes(1);
});

test("reactions show with their number and can be pressed, those of others and one's own", () => {
  const reactions = [
    { emoji: "👍", count: 2, own: true },
    { emoji: "🎉", count: 1, own: false },
  ];
  const { onReact } = show([message(1, { reactions, canReact: true })]);
  const chips = within(screen.getByRole("group", { name: "Reactions" }));
  const own = chips.getByRole("button", { name: "👍: 2 people" });
  expect(own.getAttribute("aria-pressed")).toBe("true");
  fireEvent.click(own);
  fireEvent.click(chips.getByRole("button", { name: "🎉: 1 person" }));
  expect(onReact).toHaveBeenNthCalledWith(1, expect.anything(), "👍", false);
  expect(onReact).toHaveBeenNthCalledWith(2, expect.anything(), "🎉", true);
  fireEvent.click(chips.getByRole("button", { name: "React" }));
  fireEvent.click(within(screen.getByRole("dialog", { name: "Choose an emoji" })).getByText("👀"));
  expect(onReact).toHaveBeenLastCalledWith(expect.anything(), "👀", true);
  expect(screen.queryByRole("dialog")).toBeNull();
});

test("who is not in the channel sees reactions and cannot add any", () => {
  show([message(1, { reactions: [{ emoji: "👍", count: 2, own: false }] })]);
  expect(screen.getByRole("button", { name: "👍: 2 people" }).hasAttribute("disabled")).toBe(true);
  expect(screen.queryByRole("button", { name: "React" })).toBeNull();
});
