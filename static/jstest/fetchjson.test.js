import assert from 'node:assert/strict';
import { afterEach, mock, test } from 'node:test';
import { fetchJSON } from '../js/fetchjson.js';
import { settled } from './fakes.js';

const realFetch = globalThis.fetch;

afterEach(() => {
  mock.timers.reset();
  globalThis.fetch = realFetch;
});

/** A server that answers by pieces, when it is told to. */
function slowServer() {
  let line;
  globalThis.fetch = async (url, { signal }) => new Response(new ReadableStream({
    start(controller) {
      line = controller;
      signal.addEventListener('abort', () => controller.error(new Error('aborted')));
    },
  }));
  return { send: async (text) => (line.enqueue(new TextEncoder().encode(text)), settled()), end: () => line.close() };
}

test('an answer that keeps coming may take longer than the patience', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const server = slowServer();
  const asked = fetchJSON('/', {}, 1_000);
  await settled();
  for (const part of ['{"a":', '"\u00e4', 'b"', '}']) {
    mock.timers.tick(900);
    await server.send(part);
  }
  server.end();
  assert.deepEqual((await asked).answer, { a: 'äb' });
});

test('an answer that stops coming is given up', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const server = slowServer();
  const asked = fetchJSON('/', {}, 1_000);
  await settled();
  await server.send('{');
  mock.timers.tick(1_001);
  await assert.rejects(asked, /aborted/);
});

test('what is no JSON is an error', async () => {
  globalThis.fetch = async () => new Response('<html>');
  await assert.rejects(fetchJSON('/', {}, 1_000), SyntaxError);
});
