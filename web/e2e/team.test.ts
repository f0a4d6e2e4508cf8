/** How people show and find each other: pictures, statuses, emoji of their own, notifications, previews. */

import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { openBrowser, Person } from "./person.ts";
import { Server } from "./server.ts";
import { Site } from "./site.ts";

let server: Server;
let browser: Browser;
let site: Site;
/** A PNG. */
let picture: Buffer;
let people: Person[] = [];

beforeAll(async () => {
  browser = await openBrowser();
  const page = await browser.newPage({ viewport: { width: 128, height: 128 } });
  await page.setContent(`<body style="background: linear-gradient(orange, teal)">`);
  picture = await page.screenshot();
  await page.close();
  site = await Site.open("The plan", "What is to be done by spring", picture);
  server = await Server.start({
    MADANG_LINK_PREVIEWS: "on",
    MADANG_LINK_PREVIEW_NETWORKS: "127.0.0.1/32",
    MADANG_LINK_PREVIEW_PORTS: String(site.port),
  });
});

afterEach(async () => {
  const errors = people.flatMap((person) => person.errors);
  for (const person of people) await person.close();
  people = [];
  expect(errors).toEqual([]);
});

afterAll(async () => {
  site.close();
  await browser.close();
  await server.end();
});

async function two(one: string, other: string): Promise<[Person, Person]> {
  const pair: [Person, Person] = [await Person.at(browser, server), await Person.at(browser, server)];
  people.push(...pair);
  await pair[0].signUp(one);
  await pair[1].signUp(other);
  return pair;
}

const png = () => ({ name: "picture.png", mimeType: "image/png", buffer: picture });

test("an emoji of the workspace is drawn in messages and as a reaction", async () => {
  const [alice, bob] = await two("alice", "bob");
  await alice.button("Madang").click();
  await alice.page.getByRole("menuitem", { name: "Emoji" }).click();
  await alice.dialog().locator("input[type=file]").setInputFiles(png());
  await alice.dialog().getByLabel("Name").fill("maru");
  await alice.confirm("Add");
  await alice.dialog().getByRole("img", { name: ":maru:" }).waitFor();
  await alice.confirm("Close");

  await alice.write("a :maru: for everyone");
  await bob.row("for everyone").getByRole("img", { name: ":maru:" }).waitFor();
  await bob.does("React", "for everyone");
  await bob.page.getByRole("group", { name: "Emoji of the workspace" }).getByRole("button").click();
  const reaction = alice.row("for everyone").getByRole("button", { name: ":maru:: 1 person" });
  await reaction.getByRole("img").waitFor();
  await reaction.click();
  await bob.row("for everyone").getByRole("button", { name: ":maru:: 2 people" }).waitFor();
});

test("another name and a picture are seen by the others at once", async () => {
  const [carol, dan] = await two("carol", "dan");
  await carol.write("who am I?");
  await dan.row("who am I?").getByText("carol", { exact: true }).waitFor();
  await carol.fromMenu("Profile");
  await carol.dialog().locator("input[type=file]").setInputFiles(png());
  await carol.dialog().locator("img").waitFor();
  await carol.dialog().getByLabel("Name to show").fill("Carol of the Valley");
  await carol.confirm("Save");
  await dan.row("who am I?").getByText("Carol of the Valley", { exact: true }).waitFor();
  await dan.waitFor("the picture to be drawn", () =>
    dan
      .row("who am I?")
      .locator("img")
      .evaluate((image) => image instanceof HTMLImageElement && image.naturalWidth > 0),
  );
});

test("a status is seen by the others, with its emoji", async () => {
  const [eve, fay] = await two("eve", "fay");
  await eve.fromMenu("Set your status");
  await eve.dialog().getByLabel("Do not disturb").check();
  await eve.dialog().getByLabel("What are you up to?").fill("at lunch");
  await eve.dialog().getByLabel("Emoji").fill("🍜");
  await eve.confirm("Save");
  const members = fay.page.getByRole("complementary").getByRole("listitem").filter({ hasText: "eve" });
  await members.getByText("🍜 at lunch").waitFor();
  await members.getByText("do not disturb").waitFor();
});

test("what was read can be marked as unread and stays so", async () => {
  const [gil, hana] = await two("gil", "hana");
  await gil.createChannel("diary");
  await hana.joins("diary");
  await gil.write("Monday");
  await gil.write("Tuesday");
  await hana.sees("Tuesday");
  await gil.page.getByText("Seen by 1 person").waitFor();
  await hana.does("Mark as unread from here", "Monday");
  await hana.page.getByRole("link", { name: /^diary, 2 unread/ }).waitFor();
  await hana.channel("general").click();
  await hana.page.reload();
  await hana.page.getByRole("link", { name: /^diary, 2 unread/ }).click();
  await hana.sees("Tuesday");
  await expect.poll(() => hana.page.getByRole("link", { name: /^diary,/ }).count()).toBe(0);
});

test("the bell rings for a mention and leads to the message", async () => {
  const [ian, jo] = await two("ian", "jo");
  await ian.createChannel("kitchen");
  await jo.joins("kitchen");
  await jo.channel("general").click();
  await jo.heading("general").waitFor();
  await ian.write("the soup is ready, @jo");
  await jo.button("Notifications, 1 unread").waitFor();
  // Who writes has read what was before; and the newest page of the channel does not have it any more.
  await jo.posts(ian.channelId(), 60);
  await jo.page.reload();
  await jo.button("Notifications, 0 unread").click();
  await jo
    .dialog()
    .getByText(/^ian mentioned you/)
    .click();
  await jo.heading("kitchen").waitFor();
  await jo.sees("the soup is ready");
});

test("the bell leads to a reply in its thread", async () => {
  const [oli, pia] = await two("oli", "pia");
  await oli.createChannel("yard");
  await pia.joins("yard");
  await pia.write("who waters the trees?");
  await oli.sees("who waters the trees?");
  await oli.does("Reply in a thread", "who waters the trees?");
  const reply = oli.dialog().getByRole("textbox", { name: "Reply" });
  await reply.fill("I do");
  await reply.press("Enter");
  await oli.dialog().getByText("I do").waitFor();
  await pia.channel("general").click();
  await pia.button("Notifications, 1 unread").click();
  await pia
    .dialog()
    .getByText(/^oli replied in a thread/)
    .click();
  const thread = pia.page.getByRole("dialog", { name: "Thread" });
  await thread.getByText("I do").waitFor();
  await thread.getByText("who waters the trees?").waitFor();
  await pia.page.keyboard.press("Escape");
  await thread.waitFor({ state: "detached" });
  await pia.heading("yard").waitFor();
});

test("a word that one waits for rings the bell, and is kept with the quiet hours", async () => {
  const [mo, nan] = await two("mo", "nan");
  const settings = async () => {
    await nan.page.getByRole("button", { name: /^Notifications, / }).click();
    await nan.button("Keywords and quiet hours").click();
  };
  await settings();
  await nan.dialog().getByLabel("Keywords").fill("soup\nbread");
  await nan.dialog().getByLabel("Be quiet at these times").check();
  await nan.dialog().getByRole("button", { name: "Sunday" }).click();
  await nan.dialog().getByLabel("From").fill("23:30");
  await nan.confirm("Save");
  await nan.dialog().waitFor({ state: "detached" });
  await nan.createChannel("elsewhere");
  await mo.write("there is soup for everyone");
  await nan.button("Notifications, 1 unread").waitFor();
  await nan.page.reload();
  await settings();
  expect(await nan.dialog().getByLabel("Keywords").inputValue()).toBe("soup\nbread");
  expect(await nan.dialog().getByLabel("From").inputValue()).toBe("23:30");
  expect(await nan.dialog().getByRole("button", { pressed: true }).count()).toBe(6);
});

test("a link shows what it leads to until its author takes that away", async () => {
  const [kim, lee] = await two("kim", "lee");
  await kim.write(`read ${site.url} please`);
  const card = lee.row("please").getByRole("group", { name: "Previews of links" });
  await card.getByRole("link", { name: "The plan" }).waitFor();
  await card.getByText("What is to be done by spring").waitFor();
  await lee.waitFor("the picture to be drawn", () =>
    card.locator("img").evaluate((image) => image instanceof HTMLImageElement && image.naturalWidth > 0),
  );
  expect(await lee.button("Remove the previews").count()).toBe(0);
  await kim.row("please").hover();
  await kim.button("Remove the previews").click();
  await card.waitFor({ state: "detached" });
});
