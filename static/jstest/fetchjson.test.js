import assert from 'node:assert/strict';
import { afterEach, mock, test } from 'node:test';
import { fetchJSON } from '../js/fetchjson.js';
import { HttpClient, Unauthorized, Unreachable } from '../js/httpclient.js';
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

test('a file comes as it is, with the name that the server gives it', async () => {
  globalThis.fetch = async () => new Response('a,b\n', { headers: { 'Content-Disposition': 'attachment; filename="mine.csv"' } });
  const { file, name } = await new HttpClient().download('/export');
  assert.deepEqual([name, await file.text()], ['mine.csv', 'a,b\n']);
});

test('a refused file is the error that the server says, and what is from elsewhere no file', async () => {
  globalThis.fetch = async () => Response.json({ error: 'no' }, { status: 401 });
  await assert.rejects(new HttpClient().download('/export'), Unauthorized);
  for (const status of [200, 502]) {
    globalThis.fetch = async () => new Response('<html>', { status });
    await assert.rejects(new HttpClient().download('/export'), Unreachable);
  }
});
