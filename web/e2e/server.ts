/** The real server, one per test file, on a free port with data of its own. */

import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const binary = process.env["MADANG_BIN"];

/** A port that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => {
        if (address === null || typeof address === "string") reject(new Error("no port"));
        else resolve(address.port);
      });
    });
  });
}

/** Asks until it is so; says what it waited for when it never is. */
export async function until(
  what: string,
  check: () => Promise<boolean> | boolean,
  patienceMs = 20_000,
): Promise<void> {
  const end = Date.now() + patienceMs;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export class Server {
  readonly url: string;
  private readonly port: number;
  private readonly data: string;
  private readonly settings: Record<string, string>;
  private process: ChildProcess | undefined;
  private output = "";

  private constructor(port: number, data: string, settings: Record<string, string>) {
    this.port = port;
    this.data = data;
    this.settings = settings;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** `settings`: what differs from those of every test, by the names in the environment. */
  static async start(settings: Record<string, string> = {}): Promise<Server> {
    const data = await mkdtemp(join(tmpdir(), "madang-e2e-"));
    const server = new Server(await freePort(), data, settings);
    await server.run();
    return server;
  }

  /** Starts it, again on the same port and data after `halt`. */
  async run(): Promise<void> {
    if (binary === undefined) throw new Error("MADANG_BIN must name the server's binary");
    const child = spawn(binary, ["serve"], {
      cwd: this.data,
      env: {
        PATH: process.env["PATH"],
        HOME: this.data,
        MADANG_LISTEN: `127.0.0.1:${this.port}`,
        MADANG_DATA: this.data,
        MADANG_RATE_LIMITS: "off",
        MADANG_LINK_PREVIEWS: "off",
        ...this.settings,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const keep = (bytes: Buffer) => (this.output = (this.output + bytes.toString()).slice(-8_000));
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    this.process = child;
    await until("the server to be ready", async () => {
      if (child.exitCode !== null) throw new Error(`the server ended:\n${this.output}`);
      try {
        return (await fetch(`${this.url}/health`)).ok;
      } catch {
        return false;
      }
    });
  }

  /** Ends it and keeps its data. */
  async halt(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    const impatience = setTimeout(() => child.kill("SIGKILL"), 15_000);
    await ended;
    clearTimeout(impatience);
  }

  async end(): Promise<void> {
    await this.halt();
    await rm(this.data, { recursive: true, force: true });
  }
}
