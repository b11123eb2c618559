// Connects npm's client and tells what it hears, a line of JSON for each event.
// Lines on stdin are orders: "cut" breaks the connection, after which the client
// comes back by itself; "emit <event> <json arguments>" sends; "ask <event> <json
// arguments>" sends and tells the answer.
//
//   node client.cjs <folder with node_modules> <client module> <url> <json options>
"use strict";
const { createRequire } = require("node:module");
const require_ = createRequire(process.argv[2] + "/");
// A file of the browser's client finds what a browser has.
if (process.argv[3].endsWith(".js")) {
  global.WebSocket = require_("ws");
  global.XMLHttpRequest = require_("xmlhttprequest-ssl").XMLHttpRequest;
  global.FileReader = class {
    async readAsDataURL(blob) {
      this.result = "data:;base64," + Buffer.from(await blob.arrayBuffer()).toString("base64");
      this.onload();
    }
  };
}
const { io } = require_(process.argv[3]);
const options = JSON.parse(process.argv[5]);
if (options.parser) options.parser = require_(options.parser);

const revive = (v) => {
  if (v && v.$bin !== undefined) return Buffer.from(v.$bin, "hex");
  if (v && v.$view !== undefined) return new Uint8Array(Buffer.from(v.$view, "hex"));
  if (v && v.$buffer !== undefined) return new Uint8Array(Buffer.from(v.$buffer, "hex")).buffer;
  if (Array.isArray(v)) return v.map(revive);
  if (v && typeof v === "object") return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, revive(x)]));
  return v;
};
const hex = (v) => (Buffer.isBuffer(v) || v instanceof ArrayBuffer ? { $bin: Buffer.from(v).toString("hex") } : v);
const deep = (v) => {
  const h = hex(v);
  if (h !== v || !v || typeof v !== "object") return h;
  return Array.isArray(v) ? v.map(deep) : Object.fromEntries(Object.entries(v).map(([k, x]) => [k, deep(x)]));
};
const tell = (event, args) => console.log(JSON.stringify({ event, args: args.map(deep) }));

const socket = io(process.argv[4], { reconnectionDelay: 20, reconnectionDelayMax: 50, forceNew: true, ...options });
socket.on("connect", () => tell("connect", [socket.id, socket.recovered === true]));
socket.on("connect_error", (err) => tell("connect_error", [err.message, err.data]));
socket.on("disconnect", (reason) => tell("disconnect", [reason]));
socket.onAny((event, ...args) => tell(event, args));

require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const [order, event, ...rest] = line.split(" ");
  const args = rest.length ? JSON.parse(rest.join(" ")).map(revive) : [];
  if (order === "cut") socket.io.engine.close();
  else if (order === "ask") socket.emit(event, ...args, (...answer) => tell("answer", answer));
  else socket.emit(event, ...args);
}).on("close", () => process.exit());
