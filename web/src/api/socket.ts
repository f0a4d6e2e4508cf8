/**
 * The connection to the gateway: connects, says `HELLO`, keeps the heartbeat, comes back after a loss
 * and tells how things stand. What the events mean is not its business.
 *
 * Invariants:
 * - At most one WebSocket at a time; what a former one still says is not heard.
 * - `online` is told after the `READY` has been passed on.
 * - Each request is settled: by its answer, by the end of the connection, or by its time limit.
 */

import { lostReason, mayReturn, reasonOf, type LostReason } from "./close";
import { ApiError, asApiError, errorFrom } from "./errors";
import { isRecord, parseJson } from "./trust";
import type { Command, Event, ServerFrame } from "./types";

/** How things stand. Times are by this device's clock. */
export type Status =
  | { phase: "connecting"; reason?: LostReason }
  | { phase: "online" }
  | { phase: "waiting"; reason: LostReason; nextTryAt: number }
  | { phase: "stopped"; reason: LostReason };

export interface SocketOptions {
  url: string;
  /** A token that is good for a while; `undefined` when nobody is signed in. */
  token: () => Promise<string | undefined>;
  /** A token newer than the refused one; `undefined` when the session is over. */
  tokenRefused: (token: string) => Promise<string | undefined>;
  /** The versions to go on from. */
  resume: () => Record<string, number>;
  onEvent: (event: Event) => void;
  onStatus: (status: Status) => void;
}

/** From `new` to `READY`. */
const CONNECT_MS = 12_000;
/** From a `PING` to anything at all. */
const ANSWER_MS = 10_000;
/** The same, when there is a reason to doubt the connection. */
const PROBE_MS = 3_000;
const REQUEST_MS = 15_000;
const BACKOFF_FIRST_MS = 500;
const BACKOFF_MOST_MS = 30_000;
/** Our own close code: we heard nothing for too long. */
const GAVE_UP = 4901;

interface Waiting {
  resolve: (payload: unknown) => void;
  reject: (error: ApiError) => void;
  timer: ReturnType<typeof setTimeout>;
}

// A type error here: the server says something else, or less.
const frameTypes: Record<ServerFrame["type"], true> = {
  READY: true,
  MESSAGE: true,
  TYPING: true,
  PRESENCE: true,
  USER: true,
  ONLINE: true,
  WATCHED: true,
  READ_RECEIPT: true,
  UNREAD: true,
  SETTINGS: true,
  REACTION: true,
  SAVED: true,
  DRAFT: true,
  SCHEDULED: true,
  REMINDER: true,
  NOTIFICATION: true,
  NOTIFICATIONS: true,
  NOTIFICATION_SETTINGS: true,
  EXPORT: true,
  CHANNEL: true,
  MEMBER: true,
  WORKSPACE: true,
  EMOJI: true,
  SANCTION: true,
  RESYNC: true,
  PONG: true,
  ACK: true,
  ERROR: true,
};

/** A newer server may say more than we know: that is passed over. */
function isFrame(value: unknown): value is ServerFrame {
  return (
    isRecord(value) &&
    typeof value["type"] === "string" &&
    Object.hasOwn(frameTypes, value["type"]) &&
    isRecord(value["payload"])
  );
}

/** Exponential backoff with full jitter: many clients of a restarted server do not come at once. */
export function backoff(attempt: number, random: number): number {
  return Math.round(random * Math.min(BACKOFF_MOST_MS, BACKOFF_FIRST_MS * 2 ** attempt));
}

export class Socket {
  private readonly options: SocketOptions;
  private socket: WebSocket | undefined;
  private status: Status = { phase: "stopped", reason: "unknown" };
  private attempts = 0;
  private heartbeatMs = 30_000;
  private lastHeard = 0;
  private nextRid = 0;
  /** Changes whenever what was begun before is of no interest any more. */
  private era = 0;
  private usedToken: string | undefined;
  private readonly waiting = new Map<string, Waiting>();
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private pingTimer: ReturnType<typeof setTimeout> | undefined;
  private doubtTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: SocketOptions) {
    this.options = options;
  }

  get online(): boolean {
    return this.status.phase === "online";
  }

  start(): void {
    window.addEventListener("online", this.hopeful);
    window.addEventListener("offline", this.doubtful);
    document.addEventListener("visibilitychange", this.seen);
    this.attempts = 0;
    void this.connect();
  }

  stop(): void {
    window.removeEventListener("online", this.hopeful);
    window.removeEventListener("offline", this.doubtful);
    document.removeEventListener("visibilitychange", this.seen);
    this.drop(1000);
    this.tell({ phase: "stopped", reason: "unknown" });
  }

  /** Tries at once, unless there is a connection or a try under way. */
  retryNow(): void {
    if (this.status.phase === "waiting" || this.status.phase === "stopped") void this.connect();
  }

  /** Says something that needs no answer; lost when there is no connection. */
  say(command: Command): boolean {
    if (!this.online) return false;
    return this.transmit(command);
  }

  /** Asks for something and gives the payload of its `ACK`. */
  request(command: Command): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.nextRid += 1;
      const rid = String(this.nextRid);
      if (!this.online || !this.transmit({ ...command, rid })) {
        reject(new ApiError("network", "Not connected"));
        return;
      }
      const timer = setTimeout(() => {
        this.waiting.delete(rid);
        reject(new ApiError("network", "No answer came in time"));
        this.probe();
      }, REQUEST_MS);
      this.waiting.set(rid, { resolve, reject, timer });
    });
  }

  private transmit(frame: object): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  private tell(status: Status): void {
    this.status = status;
    this.options.onStatus(status);
  }

  private async connect(): Promise<void> {
    const before = this.status;
    this.drop(1000);
    const era = this.era;
    this.tell({ phase: "connecting", ...("reason" in before ? { reason: before.reason } : {}) });
    let token: string | undefined;
    try {
      token = await this.options.token();
    } catch (error) {
      if (era === this.era) this.wait(reasonOf(asApiError(error).code));
      return;
    }
    if (era !== this.era) return;
    if (token === undefined) {
      this.tell({ phase: "stopped", reason: "unauthenticated" });
      return;
    }
    this.open(token, era);
  }

  private open(token: string, era: number): void {
    const socket = new WebSocket(this.options.url);
    this.socket = socket;
    this.usedToken = token;
    const ifMine = (act: () => void) => () => {
      if (era === this.era) act();
    };
    this.doubtTimer = setTimeout(
      ifMine(() => this.lost(GAVE_UP)),
      CONNECT_MS,
    );
    socket.onopen = ifMine(() => {
      const resume = { channels: this.options.resume() };
      this.transmit({ type: "HELLO", payload: { token, subscribe: "joined", resume } });
    });
    socket.onmessage = (message: MessageEvent<unknown>) => {
      if (era === this.era && typeof message.data === "string") this.hear(message.data);
    };
    socket.onclose = (closed) => {
      if (era === this.era) this.lost(closed.code);
    };
  }

  private hear(text: string): void {
    this.lastHeard = Date.now();
    if (this.online) this.believe();
    const frame = parseJson(text);
    if (!isFrame(frame)) return;
    switch (frame.type) {
      case "ACK":
        this.settle(frame.rid)?.resolve(frame.payload);
        return;
      case "ERROR": {
        const request = this.settle(frame.rid);
        if (request !== undefined) request.reject(errorFrom(frame.payload));
        else console.warn("The server refused a frame:", frame.payload.detail);
        return;
      }
      case "READY":
        this.believe();
        this.attempts = 0;
        this.heartbeatMs = frame.payload.heartbeat_interval_ms;
        this.options.onEvent(frame);
        this.schedulePing();
        this.tell({ phase: "online" });
        return;
      default:
        this.options.onEvent(frame);
    }
  }

  private settle(rid: string | undefined): Waiting | undefined {
    if (rid === undefined) return undefined;
    const request = this.waiting.get(rid);
    this.waiting.delete(rid);
    clearTimeout(request?.timer);
    return request;
  }

  private schedulePing(): void {
    clearTimeout(this.pingTimer);
    this.pingTimer = setTimeout(() => {
      this.doubt(ANSWER_MS);
      this.schedulePing();
    }, this.heartbeatMs);
  }

  /** Asks for a sign of life; without one in time the connection is given up. */
  private doubt(patience: number): void {
    this.transmit({ type: "PING", payload: {} });
    this.doubtTimer ??= setTimeout(() => this.lost(GAVE_UP), patience);
  }

  private believe(): void {
    clearTimeout(this.doubtTimer);
    this.doubtTimer = undefined;
  }

  private probe(): void {
    if (!this.online) return;
    this.believe();
    this.doubt(PROBE_MS);
  }

  private readonly hopeful = () => {
    this.attempts = 0;
    this.retryNow();
    this.probe();
  };

  private readonly doubtful = () => this.probe();

  private readonly seen = () => {
    if (document.visibilityState !== "visible") return;
    if (this.status.phase === "waiting") this.retryNow();
    // After a sleep the connection may be dead without knowing it.
    else if (Date.now() - this.lastHeard > 5_000) this.probe();
  };

  private lost(code: number): void {
    const wasReady = this.online;
    const reason = code === GAVE_UP && wasReady ? "silent" : lostReason(code, wasReady);
    this.drop(code === GAVE_UP ? GAVE_UP : 1000);
    if (reason === "unauthenticated") {
      void this.renew();
      return;
    }
    if (mayReturn(code)) this.wait(navigator.onLine ? reason : "offline");
    else this.tell({ phase: "stopped", reason });
  }

  /** The token was refused: a newer one, then back. */
  private async renew(): Promise<void> {
    const era = this.era;
    const refused = this.usedToken;
    this.tell({ phase: "connecting", reason: "unauthenticated" });
    try {
      const token = refused === undefined ? undefined : await this.options.tokenRefused(refused);
      if (era !== this.era) return;
      if (token === undefined) this.tell({ phase: "stopped", reason: "unauthenticated" });
      else this.wait("unauthenticated");
    } catch (error) {
      if (era === this.era) this.wait(reasonOf(asApiError(error).code));
    }
  }

  private wait(reason: LostReason): void {
    const ms = backoff(this.attempts, Math.random());
    this.attempts += 1;
    this.tell({ phase: "waiting", reason, nextTryAt: Date.now() + ms });
    this.retryTimer = setTimeout(() => void this.connect(), ms);
  }

  /** Ends whatever there is: the connection, the try, the timers, the requests. */
  private drop(code: number): void {
    this.era += 1;
    clearTimeout(this.retryTimer);
    clearTimeout(this.pingTimer);
    this.believe();
    const socket = this.socket;
    this.socket = undefined;
    if (socket !== undefined && socket.readyState !== WebSocket.CLOSED) socket.close(code);
    for (const [rid, request] of this.waiting) {
      this.waiting.delete(rid);
      clearTimeout(request.timer);
      request.reject(new ApiError("network", "The connection was lost"));
    }
  }
}
