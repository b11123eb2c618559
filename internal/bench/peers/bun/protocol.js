// The Bun peer: npm's socket.io on @socket.io/bun-engine, whose WebSockets are those of
// uWebSockets, with the events of internal/bench, and a broadcast by HTTP.
import { Server as Engine } from "@socket.io/bun-engine";
import { Server } from "socket.io";
import { fire, listen } from "../events.mjs";

const [hostname, port] = process.argv.at(-1).split(":");
const engine = new Engine({ path: "/socket.io/" });
const io = new Server();
io.bind(engine);
listen(io, () => engine.clients.size);

Bun.serve({
  ...engine.handler(),
  hostname,
  port: Number(port),
  fetch(request, server) {
    const url = new URL(request.url);
    if (url.pathname !== "/fire") return engine.handleRequest(request, server);
    fire(io, url.searchParams);
    return new Response("{}");
  },
});
console.log("ready");
