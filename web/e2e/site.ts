/** A site on this machine that messages link to: one page with a picture. */

import { createServer, type Server as HttpServer } from "node:http";

export class Site {
  readonly port: number;
  private readonly listener: HttpServer;

  private constructor(listener: HttpServer, port: number) {
    this.listener = listener;
    this.port = port;
  }

  /** `picture`: a PNG. */
  static async open(title: string, description: string, picture: Buffer): Promise<Site> {
    const page = `<!doctype html><title>${title}</title>
      <meta property="og:description" content="${description}"><meta property="og:image" content="/picture.png">`;
    const listener = createServer((request, response) => {
      const isPicture = request.url === "/picture.png";
      response.setHeader("Content-Type", isPicture ? "image/png" : "text/html; charset=utf-8");
      response.end(isPicture ? picture : page);
    });
    const port = await new Promise<number>((resolve, reject) => {
      listener.once("error", reject);
      listener.listen(0, "127.0.0.1", () => {
        const address = listener.address();
        if (address === null || typeof address === "string") reject(new Error("no port"));
        else resolve(address.port);
      });
    });
    return new Site(listener, port);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  close(): void {
    this.listener.close();
    this.listener.closeAllConnections();
  }
}
