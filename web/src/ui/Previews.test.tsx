/** Tests of the cards of links. */
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeAll, expect, test, vi } from "vitest";

import { startI18n } from "../i18n";
import { Previews } from "./Previews";

beforeAll(() => void startI18n("en"));
afterEach(cleanup);

const garden = { url: "https://example.org/garden", title: "<b>A garden</b>", description: "With a wall" };

test("a card names the site, leads to the page and shows no markup", () => {
  render(<Previews previews={[garden]} picture={() => Promise.resolve(new Blob())} />);
  const link = screen.getByRole("link", { name: "<b>A garden</b>" });
  expect(link.getAttribute("href")).toBe("https://example.org/garden");
  expect(link.getAttribute("rel")).toContain("noopener");
  screen.getByText("example.org");
  screen.getByText("With a wall");
  expect(screen.queryByRole("button")).toBeNull();
});

test("what is no web address leads nowhere", () => {
  render(<Previews previews={[{ ...garden, url: "javascript:alert(1)" }]} picture={vi.fn()} />);
  expect(screen.queryByRole("link")).toBeNull();
});

test("the picture comes from the server, and whoever may takes the cards away", async () => {
  const picture = vi.fn(() => Promise.resolve(new Blob(["x"])));
  const remove = vi.fn();
  const image = { id: "7", width: 640, height: 320 };
  render(<Previews previews={[{ ...garden, image }]} picture={picture} onRemove={remove} />);
  await vi.waitFor(() => expect(screen.getByRole("presentation").getAttribute("src")).toMatch(/^blob:/));
  expect(picture).toHaveBeenCalledWith("7");
  fireEvent.click(screen.getByRole("button", { name: "Remove the previews" }));
  expect(remove).toHaveBeenCalledOnce();
});
