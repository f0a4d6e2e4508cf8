// A small chat server on `ws`: one room, everything in memory. It speaks the part of Madang's gateway that
// `madang load peer --kind ws` needs, so that both are measured by the same program.
//
// Settings are those of a server in earnest: no compression, a message made into bytes once for everyone.

import { createServer } from "node:http";
import { WebSocketServer } from "ws";

let seq = 0;
const room = new Set();

const http = createServer((_, answer) => answer.end(JSON.stringify({ seq })));
const server = new WebSocketServer({ server: http, perMessageDeflate: false, maxPayload: 128 * 1024 });

server.on("connection", (socket) => {
  const say = (frame) => socket.send(JSON.stringify(frame));
  socket.on("message", (data) => {
    const { type, payload, rid } = JSON.parse(data);
    if (type === "HELLO") {
      room.add(socket);
      say({ type: "READY", payload: {} });
    } else if (type === "MESSAGE") {
      seq += 1;
      const message = { id: String(seq), channel_id: payload.channel_id, seq, content: payload.content };
      const bytes = Buffer.from(JSON.stringify({ type: "MESSAGE", payload: message }));
      for (const member of room) member.send(bytes, { binary: false });
      say({ type: "ACK", payload: message, rid });
    } else if (type === "PING") {
      say({ type: "PONG", payload: {} });
    }
  });
  socket.on("close", () => room.delete(socket));
  socket.on("error", () => socket.terminate());
});

http.listen(Number(process.argv[2]), "127.0.0.1");
