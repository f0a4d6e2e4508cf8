/** Writing Hangul: an input method composes each syllable, and its Enter is not ours. */

import type { Browser, CDPSession } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { openBrowser, Person } from "./person.ts";
import { Server } from "./server.ts";

let server: Server;
let browser: Browser;

beforeAll(async () => {
  server = await Server.start();
  browser = await openBrowser();
});

afterAll(async () => {
  await browser.close();
  await server.end();
});

async function compose(keyboard: CDPSession, ...steps: string[]): Promise<void> {
  for (const text of steps) {
    await keyboard.send("Input.imeSetComposition", {
      text,
      selectionStart: text.length,
      selectionEnd: text.length,
    });
  }
}

/** A key that the input method takes for itself. */
async function takenEnter(keyboard: CDPSession): Promise<void> {
  const key = { key: "Enter", code: "Enter", windowsVirtualKeyCode: 229, nativeVirtualKeyCode: 229 };
  await keyboard.send("Input.dispatchKeyEvent", { type: "rawKeyDown", ...key });
  await keyboard.send("Input.dispatchKeyEvent", { type: "keyUp", ...key });
}

test("one Enter sends one message, with its last syllable", async () => {
  const jimin = await Person.at(browser, server, { locale: "ko-KR" });
  await jimin.signUp("지민", "지민");
  const keyboard = await jimin.context.newCDPSession(jimin.page);
  await jimin.composer().focus();

  await compose(keyboard, "ㅁ", "마");
  await keyboard.send("Input.insertText", { text: "마" });
  await compose(keyboard, "ㄷ", "다", "당");
  // The first Enter ends the composition and must not send; the one after it does.
  await takenEnter(keyboard);
  expect(await jimin.page.getByRole("article").count()).toBe(0);
  await keyboard.send("Input.insertText", { text: "당" });
  await jimin.page.keyboard.press("Enter");

  await jimin.sees("마당");
  await expect.poll(() => jimin.composer().inputValue()).toBe("");
  await compose(keyboard, "ㅇ", "아", "안");
  await keyboard.send("Input.insertText", { text: "안" });
  await compose(keyboard, "ㄴ", "녀", "녕");
  await keyboard.send("Input.insertText", { text: "녕" });
  await jimin.page.keyboard.press("Enter");
  await jimin.sees("안녕");
  await expect
    .poll(async () => (await jimin.stored()).map(({ content }) => content))
    .toEqual(["마당", "안녕"]);
  expect(await jimin.composer().inputValue()).toBe("");
  await jimin.close();
});

test("bold before a particle is bold", async () => {
  const sora = await Person.at(browser, server, { locale: "ko-KR" });
  await sora.signUp("소라", "소라");
  await sora.write("여기 **마당**은 넓어요");
  await sora.page.locator("strong", { hasText: /^마당$/ }).waitFor();
  await sora.close();
});
