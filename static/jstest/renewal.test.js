import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Renewal } from '../js/renewal.js';
import * as sessions from '../js/session.js';
import { Storage } from '../js/storage.js';
import { FakeLive, settled } from './fakes.js';

const anna = { id: 'anna' };

/** A tab of a browser whose store is storage; answers are what refresh gives in turn. */
function tab(storage, answers = []) {
  const live = new FakeLive();
  const it = { live, session: sessions.load(storage), asked: 0, used: [] };
  live.useToken = async (token) => { it.used.push(`live ${token}`); };
  const api = {
    refresh: async () => { it.asked += 1; const a = answers.shift(); if (a instanceof Error) throw a; return { token: a }; },
    useToken: (token) => it.used.push(`api ${token}`),
  };
  it.renewal = new Renewal({ api, live, storage, session: it.session, pause: async () => {} });
  return it;
}

function signedIn() {
  const storage = new Storage(null);
  sessions.open(storage, { token: 'first', user: anna });
  return storage;
}

test('a token that expires is renewed, also if the server answers late', async () => {
  const storage = signedIn();
  const page = tab(storage, [new Error('unreachable'), 'second']);
  page.live.receive('auth:expiring', {});
  await settled();
  assert.deepEqual(page.used, ['api second', 'live second']);
  assert.deepEqual(sessions.load(storage), { token: 'second', user: anna });
  assert.equal(page.session.token, 'second');
});

test('of two tabs one asks for the token, and the other uses it', async () => {
  const storage = signedIn();
  const [one, other] = [tab(storage, ['second']), tab(storage, ['third'])];
  one.live.receive('auth:expiring', {});
  await settled();
  other.live.receive('auth:expiring', {});
  await settled();
  assert.equal(other.asked, 0);
  assert.deepEqual(other.used, ['api second', 'live second']);
});

test('a session that was left is not renewed', async () => {
  const storage = signedIn();
  const page = tab(storage, [new Error('unreachable'), 'second']);
  page.live.receive('auth:expiring', {});
  page.renewal.stop();
  sessions.close(storage);
  await settled();
  assert.equal(sessions.load(storage), null);
  assert.deepEqual(page.used, []);
});
