/** Pictures of a small team at work, for the README and for whoever changes how things look. */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { openBrowser, Person } from "./person.ts";
import { Server } from "./server.ts";

/** Written only when asked for: each run's pictures differ in their times. */
const update = process.env["UPDATE_SCREENSHOTS"] === "1";
const folder = process.env["SCREENSHOTS"] ?? join(import.meta.dirname, "../../docs/screenshots");

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

async function picture(person: Person, name: string): Promise<void> {
  await person.page.evaluate(() => document.fonts.ready);
  await person.page.mouse.move(0, 0);
  const image = await person.page.screenshot({ animations: "disabled", caret: "hide" });
  expect(image.length).toBeGreaterThan(10_000);
  if (update) {
    await mkdir(folder, { recursive: true });
    await person.page.screenshot({
      animations: "disabled",
      caret: "hide",
      path: join(folder, `${name}.png`),
    });
  }
}

test("a team in its courtyard", { timeout: 120_000 }, async () => {
  const sora = await Person.at(browser, server, { width: 1360, height: 850 });
  const jimin = await Person.at(browser, server, { locale: "ko-KR", width: 1360, height: 850 });
  const alex = await Person.at(browser, server);
  await sora.signUp("sora", "Sora Han");
  await jimin.signUp("지민", "김지민");
  await alex.signUp("alex", "Alex Rivera");

  for (const [name, topic] of [
    ["design", "Colours, type and the courtyard"],
    ["release-1.0", "What is left before we open the gate"],
    ["점심", "오늘 뭐 먹지?"],
  ] as const) {
    await sora.createChannel(name, topic);
  }
  await sora.channel("general").click();
  await sora.fromChannelMenu("Edit channel");
  await sora
    .dialog()
    .getByLabel(/^Topic/)
    .fill("What everyone should know");
  await sora.confirm("Save");
  await alex.joins("design");
  const general = sora.channel("general");
  await general.click();
  await sora.heading("general").waitFor();

  await alex.channel("general").click();
  await alex.heading("general").waitFor();

  const say = async (who: Person, text: string) => {
    await who.write(text);
    await sora.sees(text.replace(/[*`~>]|\n[\s\S]*/g, "").slice(0, 24));
  };
  await say(sora, "Good morning! The **first build** is on the test server.");
  await say(alex, "Nice. I reloaded in the middle of writing and nothing was lost.");
  await say(jimin, "좋은 아침이에요! **마당**은 한글로 써도 잘 되네요");
  await say(jimin, "조합 중에 Enter를 눌러도 메시지가 한 번만 가요.");
  await say(alex, "Here is how the client waits before it comes back:");
  await say(
    alex,
    "```ts\nexport function backoff(attempt: number, random: number): number {\n" +
      "  return Math.round(random * Math.min(30_000, 500 * 2 ** attempt));\n}\n```",
  );
  await say(
    sora,
    "> a lost connection is nothing to worry about\n\nExactly. Next:\n\n1. read marks\n2. search\n3. *lunch*",
  );
  await sora.row("Next:").first().waitFor();
  await alex.channel("design").click();
  await alex.heading("design").waitFor();
  await alex.write("The dark colours are ready to look at.");
  await sora.page.getByRole("link", { name: /design.*unread/ }).waitFor();
  await jimin.composer().pressSequentially("좋아");
  await sora.page.getByText("김지민 is typing…").waitFor();
  await picture(sora, "wide");

  await sora.fromMenu("Dark");
  await jimin.composer().pressSequentially("요");
  await sora.page.getByText("Theme").waitFor({ state: "detached" });
  await picture(sora, "dark");

  await jimin.composer().fill("");
  await picture(jimin, "korean");

  const narrow = await Person.at(browser, server, { width: 390, height: 780, touch: true });
  await narrow.signUp("mina", "Mina");
  await narrow.sees("lunch");
  await picture(narrow, "narrow");
  for (const person of [sora, jimin, alex, narrow]) {
    expect(person.errors).toEqual([]);
    await person.close();
  }
});
