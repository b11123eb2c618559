'use strict';

// Publishes as another program of the application does, for the tests of internal/e2e.
//
// Reads one JSON command a line on stdin, {id, do, ...}, and answers each with {id, result} or
// {id, error}. In arguments {"$binary": base64}, {"$date": text} and {"$undefined": true} are
// what they say. The process ends when stdin does.

const readline = require('node:readline');
const { Emitter: RedisEmitter } = require('@socket.io/redis-emitter');
const { Emitter: PostgresEmitter } = require('@socket.io/postgres-emitter');

let emitter;
let close = async () => {};

const kinds = {
  async redis({ url, prefix }) {
    const client = require('redis').createClient({ url });
    await client.connect();
    close = () => client.quit();
    return new RedisEmitter(client, prefix ? { key: prefix } : undefined);
  },
  async ioredis({ url, prefix }) {
    const Redis = require('ioredis');
    const client = new Redis(url);
    close = () => client.quit();
    return new RedisEmitter(client, prefix ? { key: prefix } : undefined);
  },
  async postgres({ url, prefix }) {
    const { Pool } = require('pg');
    const pool = new Pool({ connectionString: url, max: 1 }); // several would not keep the order
    close = () => pool.end();
    return new PostgresEmitter(pool, '/', prefix ? { channelPrefix: prefix } : {});
  },
};

function fromWire(value) {
  if (Array.isArray(value)) return value.map(fromWire);
  if (value === null || typeof value !== 'object') return value;
  if (typeof value.$binary === 'string') return Buffer.from(value.$binary, 'base64');
  if (typeof value.$date === 'string') return new Date(value.$date);
  if (value.$undefined) return undefined;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, fromWire(v)]));
}

// target is the emitter with the rooms of a command.
function target({ nsp, to, except, volatile }) {
  let e = nsp ? emitter.of(nsp) : emitter;
  for (const room of to ?? []) e = e.to(room);
  for (const room of except ?? []) e = e.except(room);
  return volatile ? e.volatile : e;
}

const commands = {
  async open(c) {
    emitter = await kinds[c.kind](c);
  },
  async emit(c) {
    target(c).emit(c.event, ...fromWire(c.args));
  },
  async disconnect(c) {
    target(c).disconnectSockets(c.close === true);
  },
  async join(c) {
    target(c).socketsJoin(c.rooms);
  },
  async leave(c) {
    target(c).socketsLeave(c.rooms);
  },
  async server(c) {
    emitter.serverSideEmit(c.event, ...fromWire(c.args));
  },
};

readline.createInterface({ input: process.stdin })
  .on('line', async (line) => {
    const command = JSON.parse(line);
    try {
      await commands[command.do](command);
      process.stdout.write(JSON.stringify({ id: command.id, result: null }) + '\n');
    } catch (err) {
      process.stdout.write(JSON.stringify({ id: command.id, error: String(err.stack) }) + '\n');
    }
  })
  .on('close', () => close());
