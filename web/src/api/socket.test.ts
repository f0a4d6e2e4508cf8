/** The connection: greeting, heartbeat, requests, coming back. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { ready } from "./fixtures";
import { backoff, Socket, type Status } from "./socket";

class FakeWebSocket {
  static readonly OPEN = 1;
  static readonly CLOSED = 3;
  static last: FakeWebSocket;
  static made = 0;
  readyState = 0;
  sent: string[] = [];
  onopen: () => void = () => undefined;
  onmessage: (event: { data: string }) => void = () => undefined;
  onclose: (event: { code: number }) => void = () => undefined;

  constructor() {
    FakeWebSocket.last = this;
    FakeWebSocket.made += 1;
  }

  open(): void {
    this.readyState = 1;
    this.onopen();
  }

  send(text: string): void {
    this.sent.push(text);
  }

  say(frame: object): void {
    this.onmessage({ data: JSON.stringify(frame) });
  }

  close(): void {
    this.readyState = 3;
  }

  end(code: number): void {
    this.readyState = 3;
    this.onclose({ code });
  }
}

let statuses: Status[];
let events: string[];
let token: () => Promise<string | undefined>;
let refused: string[];
let socket: Socket;

const tick = () => vi.advanceTimersByTimeAsync(0);
const phases = () => statuses.map(({ phase }) => phase);
const last = () => FakeWebSocket.last;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeWebSocket);
  FakeWebSocket.made = 0;
  statuses = [];
  events = [];
  refused = [];
  token = () => Promise.resolve("t");
  socket = new Socket({
    url: "ws://x",
    token: () => token(),
    tokenRefused: (old) => {
      refused.push(old);
      return Promise.resolve("t2");
    },
    resume: () => ({ "10": 4 }),
    onEvent: ({ type }) => events.push(type),
    onStatus: (status) => statuses.push(status),
  });
});

afterEach(() => {
  socket.stop();
  vi.useRealTimers();
});

async function connect(): Promise<void> {
  socket.start();
  await tick();
  last().open();
  last().say({ type: "READY", payload: ready() });
}

test("greets with the token and the versions, and is online with READY", async () => {
  await connect();
  expect(last().sent).toEqual([
    '{"type":"HELLO","payload":{"token":"t","subscribe":"joined","resume":{"channels":{"10":4}}}}',
  ]);
  expect([phases(), events]).toEqual([["connecting", "online"], ["READY"]]);
});

test("a request is settled by its own answer, or by the end", async () => {
  await connect();
  const typing = { type: "TYPING", payload: { channel_id: "1", typing: true } } as const;
  const [one, two, three] = [socket.request(typing), socket.request(typing), socket.request(typing)];
  last().say({ type: "ERROR", payload: { code: "forbidden", detail: "no" }, rid: "2" });
  last().say({ type: "ACK", payload: { id: "7" }, rid: "1" });
  await expect(one).resolves.toEqual({ id: "7" });
  await expect(two).rejects.toMatchObject({ code: "forbidden" });
  last().end(1006);
  await expect(three).rejects.toMatchObject({ code: "network" });
  await expect(socket.request(typing)).rejects.toMatchObject({ code: "network" });
});

test("pings, and gives up a connection that says nothing", async () => {
  await connect();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(last().sent.at(-1)).toBe('{"type":"PING","payload":{}}');
  last().say({ type: "PONG", payload: { versions: {} } });
  await vi.advanceTimersByTimeAsync(30_000);
  expect(phases().at(-1)).toBe("online");
  await vi.advanceTimersByTimeAsync(10_000);
  expect(statuses.at(-1)).toMatchObject({ phase: "waiting", reason: "silent" });
});

test("comes back after a loss, says why and when", async () => {
  vi.spyOn(Math, "random").mockReturnValue(1);
  await connect();
  last().end(4000);
  expect(statuses.at(-1)).toEqual({ phase: "waiting", reason: "restarting", nextTryAt: Date.now() + 500 });
  await vi.advanceTimersByTimeAsync(500);
  last().end(1006);
  expect(statuses.at(-1)).toEqual({ phase: "waiting", reason: "unreachable", nextTryAt: Date.now() + 1000 });
  socket.retryNow();
  await tick();
  expect(FakeWebSocket.made).toBe(3);
});

test("a refused token is renewed first; a session that was ended is not begun again", async () => {
  await connect();
  last().end(4100);
  await vi.advanceTimersByTimeAsync(600);
  expect([refused, FakeWebSocket.made]).toEqual([["t"], 2]);
  last().end(4101);
  expect(statuses.at(-1)).toEqual({ phase: "stopped", reason: "session_ended" });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(FakeWebSocket.made).toBe(2);
});

test("without a login there is nothing to connect", async () => {
  token = () => Promise.resolve(undefined);
  socket.start();
  await tick();
  expect([statuses.at(-1), FakeWebSocket.made]).toEqual([{ phase: "stopped", reason: "unauthenticated" }, 0]);
});

test("when the network goes, a sign of life is asked for at once", async () => {
  await connect();
  window.dispatchEvent(new Event("offline"));
  expect(last().sent.at(-1)).toContain("PING");
  await vi.advanceTimersByTimeAsync(3_000);
  expect(phases().at(-1)).toBe("waiting");
});

test("frames that nobody knows are passed over", async () => {
  await connect();
  last().say({ type: "FLY", payload: {} });
  last().onmessage({ data: "not json" });
  expect(events).toEqual(["READY"]);
});

test("the wait grows and has an end", () => {
  expect([0, 1, 2, 20].map((attempt) => backoff(attempt, 1))).toEqual([500, 1000, 2000, 30_000]);
  expect(backoff(20, 0)).toBe(0);
});
