/** Tests of the frame on wide and on narrow screens. */
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeAll, expect, test, vi } from "vitest";

import { startI18n } from "../i18n";
import { AppShell } from "./AppShell";

beforeAll(() => void startI18n("en"));
afterEach(cleanup);

/** Shows the frame on a screen of this many pixels; gives a way to go elsewhere. */
function show(width: number) {
  vi.spyOn(window, "matchMedia").mockImplementation((query) => {
    const least = Number(/min-width:\s*(\d+)/.exec(query)?.[1] ?? 0);
    return Object.assign(new EventTarget(), {
      matches: width >= least,
      media: query,
      onchange: null,
      addListener: vi.fn(),
      removeListener: vi.fn(),
    });
  });
  const onAsideClose = vi.fn();
  const shell = (place: string) => (
    <AppShell
      place={place}
      sidebar={<p>channels</p>}
      header={<h1>general</h1>}
      aside={<p>people</p>}
      asideLabel="Members"
      asideOpen
      onAsideClose={onAsideClose}
    >
      <p>messages</p>
    </AppShell>
  );
  const { rerender } = render(shell("a"));
  return { onAsideClose, go: (place: string) => rerender(shell(place)) };
}

test("on a wide screen all parts stand side by side, each a landmark", () => {
  show(1400);
  expect(screen.getByRole("navigation", { name: "Channels" }).textContent).toBe("channels");
  expect(screen.getByRole("banner").textContent).toBe("general");
  expect(screen.getByRole("main").textContent).toBe("messages");
  expect(screen.getByRole("complementary", { name: "Members" }).textContent).toBe("people");
  expect(screen.queryByRole("button", { name: "Open the channel list" })).toBeNull();
});

test("the first link goes past the sidebar", () => {
  show(1400);
  fireEvent.click(screen.getByRole("link", { name: "Skip to the messages" }));
  expect(document.activeElement).toBe(screen.getByRole("main"));
});

test("on a narrow screen the sidebar is a drawer, which closes on going elsewhere", async () => {
  const { go, onAsideClose } = show(400);
  fireEvent.keyDown(screen.getByRole("dialog", { name: "Members" }), { key: "Escape" });
  expect(onAsideClose).toHaveBeenCalledTimes(1);
  expect(screen.queryByRole("navigation")).toBeNull();
  fireEvent.click(screen.getByRole("button", { name: "Open the channel list", hidden: true }));
  expect(screen.getByRole("dialog", { name: "Channels" }).textContent).toBe("channels");
  go("b");
  await waitFor(() => expect(screen.queryByRole("dialog", { name: "Channels" })).toBeNull());
});
