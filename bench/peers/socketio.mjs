// A small chat server on Socket.IO: one room, everything in memory, for `madang load peer --kind socket-io`.
//
// Settings are those of a server in earnest: WebSocket only, no compression, the adapter's own broadcast, which
// encodes a packet once for everyone.

import { createServer } from "node:http";
import { Server } from "socket.io";

let seq = 0;

const http = createServer((_, answer) => answer.end(JSON.stringify({ seq })));
const server = new Server(http, {
  transports: ["websocket"],
  perMessageDeflate: false,
  httpCompression: false,
  serveClient: false,
});

server.on("connection", (socket) => {
  socket.on("join", async (channel, done) => {
    await socket.join(channel);
    done();
  });
  socket.on("message", ({ channel_id, content }, done) => {
    seq += 1;
    const message = { id: String(seq), channel_id, seq, content };
    server.to(channel_id).emit("message", message);
    done(message);
  });
});

http.listen(Number(process.argv[2]), "127.0.0.1");
