/**
 * Messages on their way: kept in the browser's storage until the server has them, over lost
 * connections and reloads.
 *
 * How: each entry is a key of its own, named by the user and the nonce. One tab at a time sends for a
 * channel, one message after the other. Sending again is harmless: the nonce gives back the first
 * message.
 *
 * Invariants:
 * - What one wrote in a channel is sent in the order in which it was written.
 * - An entry leaves the storage only when the server has it or the user discards it.
 * - Entries are only ever sent as the user who wrote them.
 */

import { create } from "zustand";

import { asApiError, type FailureCode } from "../api/errors";
import { unlessBusy } from "../api/locks";
import { backoff } from "../api/socket";
import { keysFrom, onOtherTab, read, remove, write } from "../api/storage";
import { isRecord, parseJson } from "../api/trust";
import type { Message } from "../api/types";

export interface Entry {
  nonce: string;
  channelId: string;
  content: string;
  /** The files that it carries. */
  fileIds?: readonly string[];
  /** When it was written, or when the user asked to send it again: decides the order. */
  at: number;
  /** `sent`: the server has it, but it has not come back as an event yet. */
  state: "waiting" | "failed" | "sent";
  /** Why the server refused it. */
  refusal?: { code: FailureCode; detail: string };
  /** Its place, once sent. */
  seq?: number;
}

/** What is shown; the storage is the truth for all but `sent`. */
export const useOutboxStore = create<{ entries: readonly Entry[] }>(() => ({ entries: [] }));

export interface OutboxOptions {
  userId: string;
  send: (entry: Entry) => Promise<Message>;
  onSent: (message: Message) => void;
}

const PREFIX = "madang.outbox.";
/** So often a fault of the server is met with patience. */
const FAULTS = 6;

function isEntry(value: unknown): value is Entry {
  return (
    isRecord(value) &&
    typeof value["nonce"] === "string" &&
    typeof value["channelId"] === "string" &&
    typeof value["content"] === "string" &&
    typeof value["at"] === "number" &&
    (value["state"] === "waiting" || value["state"] === "failed")
  );
}

/** Random enough never to meet another one; `crypto.randomUUID` is not there on plain http. */
export function newNonce(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Outbox {
  private readonly options: OutboxOptions;
  private readonly prefix: string;
  private readonly stopHearing: () => void;
  private readonly draining = new Set<string>();
  private readonly again = new Set<string>();
  private readonly faults = new Map<string, number>();
  private sent: Entry[] = [];
  private attempts = 0;
  private lastAt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  constructor(options: OutboxOptions) {
    this.options = options;
    this.prefix = `${PREFIX}${options.userId}.`;
    this.stopHearing = onOtherTab((key) => {
      if (key === undefined || key.startsWith(this.prefix)) this.show();
    });
    this.show();
  }

  add(channelId: string, content: string, fileIds: readonly string[] = []): void {
    const carried = fileIds.length === 0 ? {} : { fileIds };
    const entry: Entry = {
      nonce: newNonce(),
      channelId,
      content,
      ...carried,
      at: this.now(),
      state: "waiting",
    };
    this.keep(entry);
    this.pump(channelId);
  }

  /** Sends a refused message again. */
  retry(nonce: string): void {
    const entry = this.stored().find((stored) => stored.nonce === nonce);
    if (entry === undefined) return;
    const { refusal: _, ...rest } = entry;
    this.keep({ ...rest, at: this.now(), state: "waiting" });
    this.pump(entry.channelId);
  }

  discard(nonce: string): void {
    remove(this.prefix + nonce);
    this.show();
  }

  /** The message has come as an event. */
  settled(nonce: string): void {
    const shown = useOutboxStore.getState().entries.some((entry) => entry.nonce === nonce);
    if (!shown && read(this.prefix + nonce) === null) return;
    remove(this.prefix + nonce);
    this.sent = this.sent.filter((entry) => entry.nonce !== nonce);
    this.show();
  }

  /** Tries everything at once: the connection is there. */
  pumpAll(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const channels = this.stored().filter((entry) => entry.state === "waiting");
    for (const id of new Set(channels.map((entry) => entry.channelId))) this.pump(id);
  }

  /** The connection is there again: patience begins anew. */
  online(): void {
    this.attempts = 0;
    this.pumpAll();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.stopHearing();
    useOutboxStore.setState({ entries: [] });
  }

  private pump(channelId: string): void {
    if (this.draining.has(channelId)) {
      this.again.add(channelId);
      return;
    }
    this.draining.add(channelId);
    void this.run(channelId).finally(() => this.draining.delete(channelId));
  }

  private async run(channelId: string): Promise<void> {
    let ran: boolean;
    do {
      this.again.delete(channelId);
      ran = await unlessBusy(`${this.prefix}${channelId}`, () => this.drain(channelId));
    } while (this.again.has(channelId) && !this.closed);
    // Another tab is at it; should it be closed, this one goes on.
    if (!ran) this.later(1_000);
  }

  private async drain(channelId: string): Promise<void> {
    while (!this.closed) {
      const entry = this.stored().find(
        (stored) => stored.channelId === channelId && stored.state === "waiting",
      );
      if (entry === undefined) return;
      try {
        this.took(entry, await this.options.send(entry));
      } catch (error) {
        if (!this.refused(entry, error)) return;
      }
    }
  }

  private took(entry: Entry, message: Message): void {
    this.attempts = 0;
    this.faults.delete(entry.nonce);
    const here = read(this.prefix + entry.nonce) !== null;
    remove(this.prefix + entry.nonce);
    if (this.closed) return;
    // When the event was faster there is nothing left to show.
    if (here) this.sent = [...this.sent, { ...entry, state: "sent", seq: message.seq }];
    this.options.onSent(message);
    this.show();
  }

  /** Says whether the channel's next one may be tried now. */
  private refused(entry: Entry, cause: unknown): boolean {
    if (this.closed) return false;
    const error = asApiError(cause);
    const faults = (this.faults.get(entry.nonce) ?? 0) + (error.code === "internal" ? 1 : 0);
    this.faults.set(entry.nonce, faults);
    if (error.temporary && faults < FAULTS) {
      const ms = Math.max(backoff(this.attempts, Math.random()), (error.retryAfter ?? 0) * 1000);
      this.attempts += 1;
      this.later(ms);
      return false;
    }
    this.faults.delete(entry.nonce);
    // Discarded while under way: it stays so.
    if (read(this.prefix + entry.nonce) === null) return true;
    const refusal = { code: error.code, detail: error.message };
    this.keep({ ...entry, state: "failed", refusal });
    return true;
  }

  private later(ms: number): void {
    if (this.closed) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.pumpAll();
    }, ms);
  }

  private now(): number {
    this.lastAt = Math.max(Date.now(), this.lastAt + 1);
    return this.lastAt;
  }

  private keep(entry: Entry): void {
    write(this.prefix + entry.nonce, JSON.stringify(entry));
    this.show();
  }

  private stored(): Entry[] {
    const entries: Entry[] = [];
    for (const key of keysFrom(this.prefix)) {
      const value = parseJson(read(key) ?? "");
      if (isEntry(value)) entries.push(value);
    }
    return entries.sort((a, b) => a.at - b.at);
  }

  private show(): void {
    if (this.closed) return;
    const stored = this.stored();
    const waiting = new Set(stored.map((entry) => entry.nonce));
    this.sent = this.sent.filter((entry) => !waiting.has(entry.nonce));
    useOutboxStore.setState({ entries: [...this.sent, ...stored] });
  }
}

/** Signing out throws away what was not sent. */
export function clearOutbox(userId: string): void {
  for (const key of keysFrom(`${PREFIX}${userId}.`)) remove(key);
}
