// The protocol peer: Node's own Socket.IO server with the events of internal/bench, and
// a broadcast by HTTP.
import { createServer } from "node:http";
import { Server } from "socket.io";

const [host, port] = process.argv.at(-1).split(":");
const http = createServer((req, res) => {
  const q = new URL(req.url, "http://localhost").searchParams;
  io.to(q.get("room")).emit("tick", Number(q.get("id")), filler(Number(q.get("size"))));
  res.end("{}");
});
const io = new Server(http);
const fillers = new Map();

function filler(size) {
  if (!fillers.has(size)) fillers.set(size, "x".repeat(size));
  return fillers.get(size);
}

io.on("connection", (socket) => {
  socket.on("echo", (...args) => args.pop()(...args));
  socket.on("count", (ack) => ack(io.engine.clientsCount));
  socket.on("join", (room, ack) => {
    socket.join(room);
    ack();
  });
  socket.on("fire", (room, id, size) => io.to(room).emit("tick", id, filler(size)));
});

http.listen(Number(port), host, () => console.log("ready"));
