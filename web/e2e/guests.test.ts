/** Guest links: someone without an account comes into one channel, and goes when it is over. */

import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { openBrowser, Person } from "./person.ts";
import { Server } from "./server.ts";

let server: Server;
let browser: Browser;
let people: Person[] = [];

beforeAll(async () => {
  browser = await openBrowser();
  server = await Server.start();
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

async function someone(locale = "en-US"): Promise<Person> {
  const person = await Person.at(browser, server, { locale });
  people.push(person);
  return person;
}

test("whoever has a link is in its channel, and nowhere else, until it ends", async () => {
  const alice = await someone();
  await alice.signUp("alice");
  // Where guests are let in anyway, nobody needs a link.
  await alice.button("Madang").click();
  await alice.page.getByRole("menuitem", { name: "Workspace settings" }).click();
  await alice.dialog().getByLabel("Let guests in").uncheck();
  await alice.confirm("Save");
  await alice.dialog().waitFor({ state: "detached" });
  await alice.createChannel("planning", "", true);
  await alice.fromChannelMenu("Guest links");
  await alice.dialog().getByRole("button", { name: "Make a link" }).click();
  const link = await alice.dialog().getByRole("textbox", { name: "The link" }).inputValue();
  expect(link).toMatch(/\/invite\/[\w-]{20,}$/);
  await alice.confirm("Close");

  const mina = await someone();
  await mina.page.goto(link);
  await mina.page.getByText("to #planning in Madang").waitFor();
  await mina.page.getByLabel("Your name").fill("Mina");
  await mina.button("Come in").click();
  await mina.heading("planning").waitFor();
  await mina.write("hello from outside");
  await alice.sees("hello from outside");
  await alice.write("welcome");
  await mina.sees("welcome");
  expect(await mina.page.getByRole("navigation").getByRole("link").allTextContents()).toEqual([
    expect.stringContaining("planning"),
  ]);
  expect(await mina.button("Browse channels").count()).toBe(0);
  await mina.page.reload();
  await mina.sees("welcome");

  await alice.fromChannelMenu("Guest links");
  await alice.dialog().getByText("used 1 time").waitFor();
  await alice
    .dialog()
    .getByRole("button", { name: /^End the link/ })
    .click();
  await mina.page.getByText("The time for which you were let in is over.").waitFor();
  await mina.channel("planning").waitFor({ state: "detached" });

  const late = await someone("ko-KR");
  await late.page.goto(link);
  await late.page.getByText(/^이제 쓸 수 없는 링크예요/).waitFor();
});
