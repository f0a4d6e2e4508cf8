/** A network cable between a browser and the server, to be pulled out and put back in. */

import { createConnection, createServer, type Server as NetServer, type Socket } from "node:net";

import type { Server } from "./server.ts";

export class Cable {
  readonly url: string;
  private readonly listener: NetServer;
  private readonly sockets = new Set<Socket>();
  private plugged = true;

  private constructor(listener: NetServer, port: number) {
    this.listener = listener;
    this.url = `http://127.0.0.1:${port}`;
  }

  static async to(server: Server): Promise<Cable> {
    const listener = createServer();
    const port = await new Promise<number>((resolve, reject) => {
      listener.once("error", reject);
      listener.listen(0, "127.0.0.1", () => {
        const address = listener.address();
        if (address === null || typeof address === "string") reject(new Error("no port"));
        else resolve(address.port);
      });
    });
    const cable = new Cable(listener, port);
    listener.on("connection", (near) => cable.join(near, Number(new URL(server.url).port)));
    return cable;
  }

  private join(near: Socket, port: number): void {
    if (!this.plugged) {
      near.destroy();
      return;
    }
    const far = createConnection(port, "127.0.0.1");
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(one);
      one.on("error", () => one.destroy());
      one.on("close", () => {
        this.sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }

  /** What is under way is lost, in both directions. */
  pull(): void {
    this.plugged = false;
    for (const socket of this.sockets) socket.destroy();
  }

  plug(): void {
    this.plugged = true;
  }

  end(): void {
    this.pull();
    this.listener.close();
  }
}
