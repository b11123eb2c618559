// What the peers do that are npm's socket.io, on whatever engine: the events of internal/bench, and the broadcast that a
// request to /fire asks for.
const fillers = new Map();

function filler(size) {
  if (!fillers.has(size)) fillers.set(size, "x".repeat(size));
  return fillers.get(size);
}

// listen answers the events; count gives how many connections there are.
export function listen(io, count) {
  io.on("connection", (socket) => {
    socket.on("echo", (...args) => args.pop()(...args));
    socket.on("count", (ack) => ack(count()));
    socket.on("join", (room, ack) => {
      socket.join(room);
      ack();
    });
    socket.on("fire", (room, id, size) => io.to(room).emit("tick", id, filler(size)));
  });
}

export function fire(io, query) {
  io.to(query.get("room")).emit("tick", Number(query.get("id")), filler(Number(query.get("size"))));
}
