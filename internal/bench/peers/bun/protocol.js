// The Bun peer: npm's socket.io on @socket.io/bun-engine, whose WebSockets are those of
// uWebSockets, with the events of internal/bench, and a broadcast by HTTP.
import { Server as Engine } from "@socket.io/bun-engine";
import { Server } from "socket.io";

const [hostname, port] = process.argv.at(-1).split(":");
const engine = new Engine({ path: "/socket.io/" });
const io = new Server();
io.bind(engine);
const fillers = new Map();

function filler(size) {
  if (!fillers.has(size)) fillers.set(size, "x".repeat(size));
  return fillers.get(size);
}

io.on("connection", (socket) => {
  socket.on("echo", (...args) => args.pop()(...args));
  socket.on("count", (ack) => ack(engine.clients.size));
  socket.on("join", (room, ack) => {
    socket.join(room);
    ack();
  });
  socket.on("fire", (room, id, size) => io.to(room).emit("tick", id, filler(size)));
});

Bun.serve({
  ...engine.handler(),
  hostname,
  port: Number(port),
  fetch(request, server) {
    const url = new URL(request.url);
    if (url.pathname !== "/fire") return engine.handleRequest(request, server);
    const q = url.searchParams;
    io.to(q.get("room")).emit("tick", Number(q.get("id")), filler(Number(q.get("size"))));
    return new Response("{}");
  },
});
console.log("ready");
