import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Renewal } from '../js/renewal.js';
import * as sessions from '../js/session.js';
import { Storage } from '../js/storage.js';
import { FakeLive, settled } from './fakes.js';

const anna = { id: 'anna' };

/** A tab of a browser whose store is storage; answers are what refresh gives in turn. */
function tab(storage, answers = [], lock = undefined) {
  const live = new FakeLive();
  const it = { live, session: sessions.load(storage), asked: 0, used: [] };
  live.useToken = async (token) => { it.used.push(`live ${token}`); };
  const api = {
    refresh: async () => { it.asked += 1; const a = answers.shift(); if (a instanceof Error) throw a; return { token: a }; },
    useToken: (token) => it.used.push(`api ${token}`),
  };
  it.renewal = new Renewal({ api, live, storage, session: it.session, pause: async () => {}, lock });
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

/** A lock that one piece of work has at a time, as the tabs of a browser share it. */
function sharedLock() {
  let last = Promise.resolve();
  return (work) => { last = last.catch(() => {}).then(work); return last; };
}

test('a token that is replaced is used by this tab and stored for the others', async () => {
  const storage = signedIn();
  const page = tab(storage);
  await page.renewal.replace(async () => ({ token: 'second' }));
  assert.deepEqual([page.session.token, page.used], ['second', ['api second', 'live second']]);
  assert.equal(sessions.load(storage).token, 'second');
});

// The server refused the old token before the answer with the new one had arrived, and the page signed out.
test('whoever is refused while the token is replaced waits for the new one, in every tab', async () => {
  const storage = signedIn();
  const lock = sharedLock();
  const [one, other] = [tab(storage, [], lock), tab(storage, [], lock)];
  let answer;
  const replaced = one.renewal.replace(() => new Promise((resolve) => { answer = resolve; }));
  const waited = Promise.all([one.renewal.settled(), other.renewal.settled()]);
  await settled();
  answer({ token: 'second' });
  await replaced;
  await waited;
  assert.equal(sessions.renewedElsewhere(storage, other.session), 'second');
});

test('a token that could not be replaced stays, and the reason is told', async () => {
  const storage = signedIn();
  const page = tab(storage);
  await assert.rejects(page.renewal.replace(async () => { throw new Error('Current password is incorrect'); }), /incorrect/);
  await page.renewal.settled();
  assert.deepEqual([page.session.token, sessions.load(storage).token, page.used], ['first', 'first', []]);
});
