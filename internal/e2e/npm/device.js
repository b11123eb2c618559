'use strict';

// Drives Socket.IO clients for the tests of internal/e2e.
//
// Reads one JSON command a line on stdin, {id, do, device, ...}, and answers
// each with {id, result} or {id, error}. What a device notices in between is
// written as {device, note, args}: "connect", "disconnect", "connect_error",
// "upgrade", "page" (a message an old page shows) and, with note "event", the
// events of the server, name first. Binary values travel as {"$binary": base64}.
// The process ends when stdin does.

const readline = require('node:readline');
const { OldPage } = require('./oldpage.js');

const devices = new Map();

function say(line) {
  process.stdout.write(JSON.stringify(line) + '\n');
}

// toWire replaces binary values, fromWire brings them back.
function toWire(value) {
  if (value instanceof ArrayBuffer) value = Buffer.from(value);
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return { $binary: bytes.toString('base64') };
  }
  if (Array.isArray(value)) return value.map(toWire);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, toWire(v)]));
  }
  return value;
}

function fromWire(value) {
  if (Array.isArray(value)) return value.map(fromWire);
  if (value === null || typeof value !== 'object') return value;
  if (typeof value.$binary === 'string') return Buffer.from(value.$binary, 'base64');
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, fromWire(v)]));
}

// heard notes one event; a server that asks for an acknowledgement gets the
// event's own arguments back.
function heard(device, name, args) {
  const ack = args.find((a) => typeof a === 'function');
  const values = args.filter((a) => typeof a !== 'function');
  say({ device, note: 'event', args: [name, ...values.map(toWire)] });
  if (ack) ack(...values);
}

function watch(device, socket) {
  const note = (name, ...args) => say({ device, note: name, args: args.map(toWire) });
  socket.on('connect', () => {
    const engine = socket.io.engine;
    note('connect', socket.id, engine.transport.name, socket.recovered === true);
    engine.once('upgrade', (transport) => note('upgrade', transport.name));
  });
  socket.on('disconnect', (reason) => note('disconnect', reason));
  socket.on('connect_error', (err) => note('connect_error', err.message, err.data ?? null));
  socket.onAny((name, ...args) => heard(device, name, args));
}

function deviceOf(command) {
  const socket = devices.get(command.device);
  if (!socket) throw new Error(`no device ${command.device}`);
  return socket;
}

// within fails a promise that takes longer than ms.
function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const ackTimeoutMs = 20000;

const commands = {
  // open connects; client names the npm package to use.
  open(c) {
    const { io } = require(c.client || 'socket.io-client');
    const socket = io(c.url, { forceNew: true, ...c.options });
    devices.set(c.device, socket);
    watch(c.device, socket);
  },

  // emit sends one event; with ack it answers with what came back.
  emit(c) {
    const args = (c.args || []).map(fromWire);
    const socket = deviceOf(c);
    if (!c.ack) {
      socket.emit(c.event, ...args);
      return undefined;
    }
    const answered = new Promise((resolve) => {
      socket.emit(c.event, ...args, (...back) => resolve(back.map(toWire)));
    });
    return within(ackTimeoutMs, `ack of ${c.event}`, answered);
  },

  connect(c) {
    const socket = deviceOf(c);
    if (c.auth) socket.auth = c.auth;
    socket.connect();
  },

  disconnect(c) {
    deviceOf(c).disconnect();
  },

  openPage(c) {
    const page = new OldPage({
      ...c.page,
      note: (text) => say({ device: c.device, note: 'page', args: [text] }),
      watch: (socket) => watch(c.device, socket),
    });
    devices.set(c.device, page);
    page.load();
  },

  // page calls one method of an old page.
  page(c) {
    return deviceOf(c)[c.method](...(c.args || []));
  },
};

async function run(line) {
  const command = JSON.parse(line);
  try {
    say({ id: command.id, result: await commands[command.do](command) });
  } catch (err) {
    say({ id: command.id, error: String((err && err.message) || err) });
  }
}

readline.createInterface({ input: process.stdin }).on('line', run).on('close', () => process.exit(0));
