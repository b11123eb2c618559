// Answers each line of stdin, a JSON list of polling payloads as hex of their
// bytes, with a line that says what npm's engine.io-parser makes of each: its
// packets, and the payload that they encode to again.
//
//   node payloads.cjs <folder with node_modules>
"use strict";
const { createRequire } = require("node:module");
const { decodePayload, encodePayload } = createRequire(process.argv[2] + "/")("engine.io-parser");

const hex = (v) => Buffer.from(v === undefined ? "" : v).toString("hex");

function answer(payload) {
  const packets = decodePayload(Buffer.from(payload, "hex").toString("utf8"), "nodebuffer");
  const good = packets.filter((p) => p.type !== "error");
  let again = "";
  encodePayload(good, (text) => { again = hex(text); });
  return {
    packets: good.map((p) => ({ type: p.type, binary: Buffer.isBuffer(p.data), data: hex(p.data) })),
    failed: good.length < packets.length,
    again,
  };
}

let rest = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (chunk) => {
  const lines = (rest + chunk).split("\n");
  rest = lines.pop();
  for (const line of lines) process.stdout.write(JSON.stringify(JSON.parse(line).map(answer)) + "\n");
});
