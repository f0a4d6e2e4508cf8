/** Someone with a browser of their own, and what they do and see in words of the product. */

import { chromium, type Browser, type BrowserContext, type Locator, type Page } from "playwright-core";

import { until, type Server } from "./server.ts";

const args = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args });
}

const password = "correct horse battery";

/** In both languages. */
const words = {
  signUp: /^(Sign up|가입)$/,
  logIn: /^(Log in|로그인)$/,
  username: /^(Username|아이디)/,
  password: /^(Password|비밀번호)/,
  displayName: /^(Name to show|표시 이름)/,
};

export interface Look {
  width?: number;
  height?: number;
  locale?: string;
  dark?: boolean;
  touch?: boolean;
  /** By way of this address; the server's own when missing. */
  url?: string;
}

export interface StoredMessage {
  id: string;
  deleted_at?: string;
  content: string;
  seq: number;
}

function isMessagePage(value: unknown): value is { items: StoredMessage[]; next_cursor?: string | null } {
  return typeof value === "object" && value !== null && "items" in value && Array.isArray(value.items);
}

export class Person {
  readonly context: BrowserContext;
  page: Page;
  readonly errors: string[] = [];
  private readonly server: Server;

  private constructor(context: BrowserContext, page: Page, server: Server) {
    this.context = context;
    this.page = page;
    this.server = server;
    this.watch();
  }

  private watch(): void {
    const { page } = this;
    page.setDefaultTimeout(15_000);
    page.on("pageerror", (error) => this.errors.push(String(error)));
    page.on("console", (message) => {
      // A refused connection is part of some stories.
      const text = message.text();
      if (message.type() === "error" && !/net::ERR|WebSocket connection|status of \d+/.test(text)) {
        this.errors.push(text);
      }
    });
  }

  static async at(browser: Browser, server: Server, look: Look = {}): Promise<Person> {
    const context = await browser.newContext({
      baseURL: look.url ?? server.url,
      viewport: { width: look.width ?? 1280, height: look.height ?? 800 },
      locale: look.locale ?? "en-US",
      timezoneId: "Asia/Seoul",
      colorScheme: look.dark === true ? "dark" : "light",
      hasTouch: look.touch ?? false,
    });
    const page = await context.newPage();
    return new Person(context, page, server);
  }

  async signUp(name: string, displayName = name): Promise<this> {
    await this.page.goto("/");
    await this.page.getByRole("tab", { name: words.signUp }).click();
    await this.page.getByLabel(words.username).fill(name);
    await this.page.getByLabel(words.password).fill(password);
    await this.page.getByLabel(words.displayName).fill(displayName);
    await this.page.locator("form").getByRole("button", { name: words.signUp }).click();
    await this.inside();
    return this;
  }

  async logIn(name: string, secret = password): Promise<void> {
    await this.page.getByRole("tab", { name: words.logIn }).click();
    await this.page.getByLabel(words.username).fill(name);
    await this.page.getByLabel(words.password).fill(secret);
    await this.page.locator("form").getByRole("button", { name: words.logIn }).click();
  }

  /** Waits until the page is ready to write in. */
  async inside(): Promise<void> {
    await this.composer().waitFor();
  }

  composer(): Locator {
    return this.page.getByRole("textbox", { name: /^Message to|보낼 메시지$/ });
  }

  async write(text: string): Promise<void> {
    await this.composer().fill(text);
    await this.composer().press("Enter");
  }

  button(name: string): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }

  dialog(): Locator {
    return this.page.getByRole("dialog").or(this.page.getByRole("alertdialog"));
  }

  /** The button of the dialog on top. */
  async confirm(action: string): Promise<void> {
    await this.dialog().last().getByRole("button", { name: action, exact: true }).click();
  }

  /** Chooses from one's own menu. */
  async fromMenu(item: string): Promise<void> {
    await this.page.getByRole("button", { name: /^(Your menu|내 메뉴)/ }).click();
    await this.page.getByRole("menu").getByText(item, { exact: true }).click();
  }

  async fromChannelMenu(item: string): Promise<void> {
    await this.button("Channel settings").click();
    await this.page.getByRole("menuitem", { name: item }).click();
  }

  channel(name: string): Locator {
    return this.page.getByRole("navigation").getByRole("link", { name: new RegExp(`^${name}\\b`) });
  }

  heading(name: string): Locator {
    return this.page.getByRole("heading", { level: 1 }).filter({ hasText: name });
  }

  async createChannel(name: string, topic = "", secret = false): Promise<void> {
    await this.button("New channel").click();
    await this.dialog()
      .getByLabel(/^Name of the channel/)
      .fill(name);
    await this.dialog()
      .getByLabel(/^Topic/)
      .fill(topic);
    if (secret)
      await this.dialog()
        .getByLabel(/^Private/)
        .check();
    await this.confirm("Create");
    await this.heading(name).waitFor();
  }

  async joins(channel: string): Promise<void> {
    await this.button("Browse channels").click();
    await this.dialog()
      .getByRole("button", { name: `Join #${channel}` })
      .click();
    await this.heading(channel).waitFor();
  }

  async edits(text: string, better: string): Promise<void> {
    await this.does("Edit", text);
    const editor = this.page.getByRole("textbox", { name: "Edit the message" });
    await editor.fill(better);
    await editor.press("Enter");
    await this.sees(better);
  }

  async deletes(text: string): Promise<void> {
    await this.does("Delete", text);
    await this.confirm("Delete");
    await this.row(text).waitFor({ state: "detached" });
  }

  /** Does something with a message by its bar of buttons. */
  async does(action: string, text: string): Promise<void> {
    await this.page.mouse.move(0, 0);
    await this.row(text).hover();
    await this.row(text).getByRole("toolbar").getByRole("button", { name: action, exact: true }).click();
  }

  row(text: string): Locator {
    return this.page.getByRole("article").filter({ hasText: text });
  }

  async sees(text: string): Promise<void> {
    await this.row(text).first().waitFor();
  }

  /** The messages in the page, in order: what is there of each. */
  async shown(): Promise<{ id: string; state: string; text: string }[]> {
    return this.page.getByRole("article").evaluateAll((rows) =>
      rows.map((row) => ({
        id: row.getAttribute("data-message-id") ?? "",
        state: row.getAttribute("data-state") ?? "",
        text: row.textContent,
      })),
    );
  }

  /** The network is gone, and the page has noticed. */
  async goesOffline(): Promise<void> {
    await this.context.setOffline(true);
    await this.page.getByText(/Not connected/).waitFor();
  }

  async comesBack(): Promise<void> {
    await this.context.setOffline(false);
  }

  /** A new page of the same browser. */
  async reopens(): Promise<void> {
    this.page = await this.context.newPage();
    await this.page.setViewportSize({ width: 1280, height: 2400 });
    this.watch();
    await this.page.goto("/");
    await this.inside();
  }

  channelId(): string {
    return /\/c\/([^/?]+)/.exec(this.page.url())?.[1] ?? "";
  }

  /** Writes many messages behind the page's back. */
  async posts(channelId: string, count: number): Promise<void> {
    const token = await this.token();
    for (let number = 1; number <= count; number += 1) {
      await fetch(`${this.server.url}/api/v1/channels/${channelId}/messages`, {
        method: "POST",
        headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
        body: JSON.stringify({ content: `line ${number} .` }),
      });
    }
  }

  async userId(): Promise<string> {
    return this.page.evaluate(() => {
      const login: unknown = JSON.parse(localStorage.getItem("madang.login") ?? "{}");
      return typeof login === "object" && login !== null && "userId" in login ? String(login.userId) : "";
    });
  }

  async token(): Promise<string> {
    return this.page.evaluate(() => {
      const login: unknown = JSON.parse(localStorage.getItem("madang.login") ?? "{}");
      return typeof login === "object" && login !== null && "accessToken" in login
        ? String(login.accessToken)
        : "";
    });
  }

  /** What the server has stored in a channel, oldest first. */
  async stored(channelId = this.channelId()): Promise<StoredMessage[]> {
    const token = await this.token();
    const all: StoredMessage[] = [];
    let cursor: string | null | undefined;
    do {
      const before = cursor === undefined ? "" : `&before=${cursor}`;
      const response = await fetch(
        `${this.server.url}/api/v1/channels/${channelId}/messages?limit=100${before}`,
        {
          headers: { Authorization: `Bearer ${token}` },
        },
      );
      const page: unknown = await response.json();
      if (!isMessagePage(page)) throw new Error(`no page: ${JSON.stringify(page)}`);
      all.unshift(...page.items);
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
    return all;
  }

  async waitFor(what: string, check: () => Promise<boolean>): Promise<void> {
    await until(what, check);
  }

  async close(): Promise<void> {
    await this.context.close();
  }
}
