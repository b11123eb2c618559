// The protocol peer: Node's own Socket.IO server with the events of internal/bench, and
// a broadcast by HTTP.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { fire, listen } from "../events.mjs";

const [host, port] = process.argv.at(-1).split(":");
const http = createServer((req, res) => {
  fire(io, new URL(req.url, "http://localhost").searchParams);
  res.end("{}");
});
const io = new Server(http);
listen(io, () => io.engine.clientsCount);
http.listen(Number(port), host, () => console.log("ready"));
