/** Coming in, going out, and what people do in channels. */

import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { openBrowser, Person, type Look } from "./person.ts";
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

async function someone(look: Look = {}): Promise<Person> {
  const person = await Person.at(browser, server, look);
  people.push(person);
  return person;
}

test("a guest comes in with one click and writes", async () => {
  const guest = await someone();
  await guest.page.goto("/");
  await guest.button("Come in as a guest").click();
  await guest.inside();
  await guest.write("I am new here");
  await guest.sees("I am new here");
  expect(await guest.userId()).toMatch(/^guest_/);
});

test("sign up, log out, log in; a wrong password is told", async () => {
  const alice = await someone();
  await alice.signUp("alice", "Alice Kim");
  await alice.write("a draft of mine");
  await alice.composer().fill("not sent yet");
  await alice.fromMenu("Log out");
  await alice.button("Come in as a guest").waitFor();
  expect(
    await alice.page.evaluate(() =>
      Object.keys(localStorage).filter((key) => /draft|outbox|login/.test(key)),
    ),
  ).toEqual([]);

  await alice.logIn("alice", "wrong password");
  await alice.page.getByText("The username or the password is wrong.").waitFor();
  await alice.logIn("alice");
  await alice.inside();
  await alice.sees("a draft of mine");
  expect(await alice.composer().inputValue()).toBe("");
});

test("sessions are listed and can be ended", async () => {
  const alice = await someone();
  await alice.signUp("alice2");
  const elsewhere = await someone();
  await elsewhere.page.goto("/");
  await elsewhere.logIn("alice2");
  await elsewhere.inside();
  await alice.fromMenu("Devices and sessions");
  await alice.page.getByText("This device").waitFor();
  await alice.dialog().getByRole("button", { name: "Sign out", exact: true }).click();
  await alice.confirm("Sign out");
  await elsewhere.page.getByText("You were signed out. Please log in again.").waitFor();
  await elsewhere.button("Come in as a guest").waitFor();
});

test("an access token that ends is renewed, once for all tabs", async () => {
  const ada = await someone();
  await ada.signUp("ada");
  const second = await ada.context.newPage();
  await second.goto("/");
  await second.getByRole("textbox", { name: /^Message to/ }).waitFor();
  let refreshes = 0;
  ada.context.on("request", (request) => {
    if (request.url().endsWith("/auth/refresh")) refreshes += 1;
  });
  await ada.page.evaluate(() => {
    const login: unknown = JSON.parse(localStorage.getItem("madang.login") ?? "{}");
    if (typeof login === "object")
      localStorage.setItem("madang.login", JSON.stringify({ ...login, expiresAt: 0 }));
  });
  await Promise.all([ada.page.reload(), second.reload()]);
  await ada.inside();
  await second.getByRole("textbox", { name: /^Message to/ }).waitFor();
  await ada.write("still here");
  await second.getByRole("article").filter({ hasText: "still here" }).waitFor();
  expect(refreshes).toBe(1);
});

test("edit and delete", async () => {
  const [carol, dan] = [await someone(), await someone()];
  await carol.signUp("carol");
  await dan.signUp("dan");
  await carol.write("helo");
  await dan.sees("helo");
  await carol.page.getByText("Seen by 1 person").waitFor();
  await carol.composer().press("ArrowUp");
  const editor = carol.page.getByRole("textbox", { name: "Edit the message" });
  await editor.fill("hello");
  await editor.press("Enter");
  await dan.sees("hello");
  await dan.row("hello").getByText("(edited)").waitFor();

  await carol.row("hello").hover();
  await carol.row("hello").getByRole("button", { name: "Delete" }).click();
  await carol.confirm("Delete");
  await dan.sees("This message was deleted.");
  expect(await dan.row("hello").count()).toBe(0);
  await dan.row("This message was deleted.").last().hover();
  expect(await dan.row("This message was deleted.").getByRole("button", { name: "Edit" }).count()).toBe(0);
});

test("create, browse, join, invite; unread and typing", async () => {
  const [eve, fay] = [await someone(), await someone()];
  await eve.signUp("eve");
  await fay.signUp("fay");

  await eve.createChannel("garden", "What grows");
  await eve.heading("garden").waitFor();
  await eve.write("first seed");

  await fay.button("Browse channels").click();
  await fay.dialog().getByText("garden").waitFor();
  await fay
    .dialog()
    .getByRole("button", { name: /Join.*garden|Join/ })
    .first()
    .click();
  await fay.heading("garden").waitFor();
  await fay.sees("first seed");

  // Someone else's words in another channel are counted.
  await fay.channel("general").click();
  await fay.heading("general").waitFor();
  await eve.write("second seed");
  await eve.write("third seed");
  await fay.page.getByRole("link", { name: /garden.*2 unread/ }).waitFor();
  await expect.poll(() => fay.page.title()).toContain("(");
  await fay.channel("garden").click();
  await fay.sees("third seed");
  await expect.poll(() => fay.page.getByRole("link", { name: /garden.*unread/ }).count()).toBe(0);

  await eve.composer().pressSequentially("typi");
  await fay.page.getByText("eve is typing…").waitFor();
  await eve.composer().press("Enter");
  await expect.poll(() => fay.page.getByText("eve is typing…").count()).toBe(0);

  await eve.createChannel("secret", "", true);
  await eve.heading("secret").waitFor();
  await eve.button("Invite").first().click();
  await eve.dialog().getByText("fay").first().click();
  await fay.channel("secret").click();
  await fay.heading("secret").waitFor();
  await fay.inside();
});

test("a direct message begins in the list of members and is only theirs", async () => {
  const [nora, omar] = [await someone(), await someone()];
  await nora.signUp("nora");
  await omar.signUp("omar");
  await nora.button("Actions for omar").click();
  await nora.page.getByRole("menuitem", { name: "Send a message" }).click();
  await nora.heading("omar").waitFor();
  await nora.write("between us");
  await omar.page.getByRole("link", { name: /^nora, 1 unread/ }).click();
  await omar.heading("nora").waitFor();
  await omar.sees("between us");
  await omar.write("yes");
  await nora.sees("yes");
  expect(await nora.button("Invite").count()).toBe(0);
});

test("replies stand in a thread, and the message tells how many there are", async () => {
  const [pia, quin] = [await someone(), await someone()];
  await pia.signUp("pia");
  await quin.signUp("quin");
  await pia.write("what shall we eat?");
  await quin.sees("what shall we eat?");
  await quin.row("what shall we eat?").hover();
  await quin.row("what shall we eat?").getByRole("button", { name: "Reply in a thread" }).click();
  await quin.dialog().getByRole("textbox", { name: "Reply" }).fill("gimbap");
  await quin.dialog().getByRole("textbox", { name: "Reply" }).press("Enter");
  await quin.dialog().getByText("gimbap").waitFor();
  await pia.row("what shall we eat?").getByRole("button", { name: "1 reply" }).click();
  await pia.dialog().getByText("gimbap").waitFor();
  await quin.dialog().getByRole("textbox", { name: "Reply" }).fill("or ramyeon");
  await quin.dialog().getByRole("textbox", { name: "Reply" }).press("Enter");
  await pia.dialog().getByText("or ramyeon").waitFor();
  await pia.page.keyboard.press("Escape");
  await pia.row("what shall we eat?").getByRole("button", { name: "2 replies" }).waitFor();
  expect(await pia.row("gimbap").count()).toBe(0);
});

test("a channel can be edited and left", async () => {
  const [gil, hana] = [await someone(), await someone()];
  await gil.signUp("gil");
  await hana.signUp("hana");
  await gil.createChannel("plans", "");
  await gil.fromChannelMenu("Edit channel");
  await gil
    .dialog()
    .getByLabel(/^Topic/)
    .fill("What comes next");
  await gil.dialog().getByRole("button", { name: "Save" }).click();
  await gil.page.getByText("What comes next").first().waitFor();
  await gil.fromChannelMenu("Leave the channel");
  await gil.confirm("Leave the channel");
  await gil.heading("general").waitFor();
  expect(await gil.channel("plans").count()).toBe(0);
});

test("keyboard: channels by Alt and arrows, Escape closes", async () => {
  const ian = await someone();
  await ian.signUp("ian");
  await ian.createChannel("aaa", "");
  await ian.heading("aaa").waitFor();
  await ian.page.keyboard.press("Alt+ArrowDown");
  await ian.heading("aaa").waitFor({ state: "detached" });
  await ian.page.keyboard.press("Alt+ArrowUp");
  await ian.heading("aaa").waitFor();
  await ian.button("Browse channels").click();
  await ian.dialog().waitFor();
  await ian.page.keyboard.press("Escape");
  await ian.dialog().waitFor({ state: "detached" });
});

test("long history is loaded in both directions", async () => {
  const [jo, kim] = [await someone(), await someone()];
  await jo.signUp("jo");
  await jo.createChannel("long", "");
  await jo.heading("long").waitFor();
  const id = jo.channelId();
  await jo.posts(id, 180);
  await jo.sees("line 180 .");
  const list = jo.page.getByRole("log");
  await jo.waitFor("the beginning of the channel", async () => {
    await list.evaluate((element) => element.scrollTo({ top: 0 }));
    return (await jo.row("line 1 .").count()) > 0;
  });

  await kim.signUp("kim");
  await kim.page.goto(`/c/${id}`);
  await kim.page.getByText("line 180 .").waitFor();
});

test("narrow: the channel list is behind the menu button", async () => {
  const lee = await someone({ width: 390, height: 780 });
  await lee.signUp("lee");
  expect(await lee.page.getByRole("navigation").count()).toBe(0);
  await lee.button("Open the channel list").click();
  await lee.channel("general").click();
  await lee.page.getByRole("navigation").waitFor({ state: "hidden" });
  const wide = await lee.page.evaluate(() => document.documentElement.scrollWidth);
  expect(wide).toBeLessThanOrEqual(390);
});

test("dark and Korean are chosen and kept", async () => {
  const min = await someone();
  await min.signUp("min");
  const ground = () => min.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await min.fromMenu("Dark");
  await expect.poll(ground).not.toBe(light);
  await min.fromMenu("한국어");
  await min.page.getByRole("textbox", { name: /채널에 보낼 메시지/ }).waitFor();
  await min.page.reload();
  await min.page.getByRole("textbox", { name: /채널에 보낼 메시지/ }).waitFor();
  expect(await ground()).not.toBe(light);
  expect(await min.page.evaluate(() => document.documentElement.lang)).toBe("ko");
});
