/** Two people in two browsers: what one writes the other reads, over lost connections and restarts. */

import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { Cable } from "./cable.ts";
import { openBrowser, Person } from "./person.ts";
import { Server } from "./server.ts";

let server: Server;
let browser: Browser;
let people: Person[] = [];

beforeAll(async () => {
  server = await Server.start();
  browser = await openBrowser();
});

afterEach(async () => {
  const errors = people.flatMap((person) => person.errors);
  for (const person of people) await person.close();
  people = [];
  expect(errors).toEqual([]);
});

afterAll(async () => {
  await browser.close();
  await server.end();
});

/** Tall enough that every message of a test is in the page. */
async function arrives(name: string, url = server.url): Promise<Person> {
  const person = await Person.at(browser, server, { height: 2400, url });
  people.push(person);
  return person.signUp(name);
}

/** The pages show just what the server has, in its order. */
async function converges(...persons: Person[]): Promise<void> {
  for (const person of persons) {
    await person.waitFor("the page to show what the server has", async () => {
      const stored = await person.stored();
      const shown = await person.shown();
      return (
        shown.length === stored.length &&
        stored.every(({ id, content, deleted_at }, at) => {
          const row = shown[at];
          const state = deleted_at === undefined ? "sent" : "deleted";
          return row?.id === id && row.state === state && row.text.includes(content);
        })
      );
    });
  }
}

test("what is written while one is offline is neither lost, doubled nor out of order", async () => {
  const alice = await arrives("alice");
  const bob = await arrives("bob");
  await alice.write("hello bob");
  await bob.sees("hello bob");
  await bob.write("hello alice");
  await alice.sees("hello alice");
  await bob.write("something hasty");
  await alice.sees("something hasty");

  await alice.goesOffline();
  for (const number of [1, 2, 3, 4, 5]) {
    await alice.write(`alice ${number}`);
    await bob.write(`bob ${number}`);
  }
  await bob.edits("hello alice", "hello again");
  await bob.deletes("something hasty");
  await bob.sees("bob 5");
  expect(await alice.row("bob 5").count()).toBe(0);
  await expect.poll(() => alice.page.locator('[data-state="pending"]').count()).toBe(5);

  await alice.comesBack();
  await bob.sees("alice 5");
  await alice.sees("bob 5");
  await expect.poll(() => alice.page.locator('[data-state="pending"]').count()).toBe(0);
  await converges(alice, bob);

  const contents = (await bob.stored()).map(({ content }) => content);
  const by = (name: string) => contents.filter((content) => new RegExp(`^${name} \\d`).test(content));
  expect(by("alice")).toEqual([1, 2, 3, 4, 5].map((number) => `alice ${number}`));
  expect(by("bob")).toEqual([1, 2, 3, 4, 5].map((number) => `bob ${number}`));
});

test("what is written while the server is down goes out after it is back, even by another page", async () => {
  const carol = await arrives("carol");
  const dave = await arrives("dave");
  await carol.write("before");
  await dave.sees("before");

  await server.halt("SIGKILL");
  await carol.page.getByText(/Not connected/).waitFor();
  for (const number of [1, 2, 3]) await carol.write(`kept ${number}`);
  await carol.sees("kept 3");
  await carol.page.close();
  await server.run();

  await dave.waitFor(
    "dave to be back",
    async () => (await dave.page.getByText(/Not connected/).count()) === 0,
  );
  await carol.reopens();
  await dave.sees("kept 3");
  await converges(carol, dave);
  const contents = (await dave.stored()).map(({ content }) => content);
  expect(contents.filter((content) => content.startsWith("kept"))).toEqual(["kept 1", "kept 2", "kept 3"]);
});

test("two tabs of one person never disturb each other", async () => {
  const erin = await arrives("erin");
  const frank = await arrives("frank");
  const second = await erin.context.newPage();
  await second.setViewportSize({ width: 1280, height: 2400 });
  await second.goto("/");
  const field = second.getByRole("textbox", { name: /^Message to/ });
  await field.waitFor();
  for (const number of [1, 2, 3]) {
    await erin.write(`first tab ${number}`);
    await field.fill(`second tab ${number}`);
    await field.press("Enter");
  }
  await frank.sees("first tab 3");
  await frank.sees("second tab 3");
  await converges(erin, frank);
  const contents = (await frank.stored()).map(({ content }) => content);
  expect(contents.filter((content) => content.includes("tab"))).toHaveLength(6);
});

test("a connection that breaks in the middle of everything loses and doubles nothing", async () => {
  const cable = await Cable.to(server);
  const gil = await arrives("gil", cable.url);
  const hana = await arrives("hana");
  await hana.createChannel("storm");
  await gil.joins("storm");
  const said: Record<"gil" | "hana", string[]> = { gil: [], hana: [] };
  for (let round = 1; round <= 6; round += 1) {
    for (let number = 1; number <= 3; number += 1) {
      said.gil.push(`gil ${round}.${number}`);
      said.hana.push(`hana ${round}.${number}`);
      await gil.write(`gil ${round}.${number}`);
      // Now before, now after the message is through, now before its answer is.
      if (number === 2) cable.pull();
      await hana.write(`hana ${round}.${number}`);
    }
    cable.plug();
  }
  await gil.sees("hana 6.3");
  await hana.sees("gil 6.3");
  await converges(gil, hana);
  const contents = (await hana.stored()).map(({ content }) => content);
  expect(contents.filter((content) => content.startsWith("gil"))).toEqual(said.gil);
  expect(contents.filter((content) => content.startsWith("hana"))).toEqual(said.hana);
  cable.end();
});
