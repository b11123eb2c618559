// Answers each line of stdin, a JSON list of message sequences, with a line that
// says what npm's parser makes of each: the packets up to the first error, and
// how it encodes them again. Binary is {"$bin": "<hex>"} in both directions.
//
//   node parser.cjs <folder with node_modules> <parser module>
"use strict";
const { createRequire } = require("node:module");
const { Encoder, Decoder } = createRequire(process.argv[2] + "/")(process.argv[3]);

const isBinary = (v) => Buffer.isBuffer(v) || v instanceof Uint8Array || v instanceof ArrayBuffer;

// show replaces binaries and what JSON does not have.
function show(v) {
  if (v === undefined) return { $undefined: true };
  if (isBinary(v)) return { $bin: Buffer.from(v).toString("hex") };
  if (v instanceof Date) return { $date: v.getTime() };
  if (Array.isArray(v)) return v.map(show);
  if (typeof v === "number" && !Number.isFinite(v)) return { $number: String(v) };
  if (v === null || typeof v !== "object") return v;
  return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, show(x)]));
}

const hide = (m) => (typeof m === "string" ? m : Buffer.from(m.$bin, "hex"));

function answer(sequence) {
  const out = { packets: [], error: "" };
  const decoder = new Decoder();
  decoder.on("decoded", (p) => {
    const shown = { type: p.type, nsp: p.nsp, id: p.id, data: p.data === undefined ? undefined : show(p.data) };
    try {
      shown.again = new Encoder().encode(p).map(show);
    } catch {
      shown.again = [];
    }
    out.packets.push(shown);
  });
  try {
    for (const m of sequence) decoder.add(hide(m));
  } catch (e) {
    out.error = e.message || "error";
  }
  return out;
}

let rest = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (chunk) => {
  const lines = (rest + chunk).split("\n");
  rest = lines.pop();
  for (const line of lines) process.stdout.write(JSON.stringify(JSON.parse(line).map(answer)) + "\n");
});
