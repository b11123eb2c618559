import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HttpError, Unauthorized, Unreachable } from '../js/httpclient.js';
import { ExpenseList } from '../js/expenselist.js';
import { Queue } from '../js/queue.js';
import { Storage } from '../js/storage.js';
import { Sync } from '../js/sync.js';
import { applied, FakeDisk, FakeTimers, snapshot } from './fakes.js';

const accept = (ops) => ops.map((op) => applied(op, { _id: op.resourceId.padStart(24, '0'), version: 1 }));

/** A page with a server that answers batches with answer and notes every request. */
function setUp(answer = accept) {
  let clock = 1_000;
  const storage = new Storage(new FakeDisk());
  const queue = new Queue({ storage, userId: 'alice', deviceId: 'device_1', now: () => clock++ });
  const expenseList = new ExpenseList({ queue, deviceId: 'device_1' });
  const page = { queue, expenseList, timers: new FakeTimers(), seen: [], answer, list: [] };
  const api = {
    batch: async (ops) => { page.seen.push(ops.map((op) => op.data?.description)); return page.answer(ops); },
    changes: async () => { page.seen.push('list'); return snapshot(page.list); },
  };
  page.online = true;
  const parked = { load: async () => { page.seen.push('parked'); } };
  page.sync = new Sync({ api, queue, expenseList, parked, reachable: () => page.online, timers: page.timers });
  return page;
}

const fail = (err) => () => { throw err; };
const add = (page, description) => page.queue.create({ description, amount: 1, date: '2026-03-01T00:00:00.000Z' });

test('what waits is sent before the list is loaded', async () => {
  const page = setUp();
  add(page, 'one');
  await page.sync.refresh();
  assert.deepEqual(page.seen, [['one'], 'list', 'parked']);
  assert.equal(page.queue.all().length, 0);
});

test('what is added while a batch is under way goes with the next one', async () => {
  const page = setUp();
  add(page, 'one');
  page.answer = async (ops) => {
    page.answer = accept;
    add(page, 'two');
    page.sync.run();
    return accept(ops);
  };
  await page.sync.run();
  assert.deepEqual(page.seen.filter(Array.isArray), [['one'], ['two']]);
  assert.equal(page.queue.all().length, 0);
});

test('nothing is dropped while the server cannot be reached, and the pauses grow', async () => {
  const page = setUp(fail(new Unreachable()));
  add(page, 'one');
  await page.sync.run();
  const pauses = [];
  for (let i = 0; i < 8; i++) {
    pauses.push(...await page.timers.elapse());
  }
  assert.equal(page.queue.all().length, 1);
  assert.ok(page.sync.error instanceof Unreachable);
  assert.ok(pauses[0] <= 1_000 && pauses[7] >= 15_000 && pauses[7] <= 30_000, String(pauses));

  page.answer = accept;
  await page.timers.elapse();
  assert.equal(page.queue.all().length, 0);
  assert.equal(page.sync.error, null);
  assert.deepEqual(page.timers.pending, []);
});

test('without a network nothing counts as sent, so edits still merge', async () => {
  const page = setUp();
  page.online = false;
  const { resourceId } = add(page, 'one');
  await page.sync.run();
  page.queue.update(resourceId, { description: 'two' });
  page.online = true;
  await page.sync.run();
  assert.deepEqual(page.seen.filter(Array.isArray), [['two']]);
});

test('a busy server is left alone for as long as it asks', async () => {
  const page = setUp(fail(new HttpError(503, { error: 'Service unavailable' }, 90_000)));
  add(page, 'one');
  await page.sync.run();
  assert.ok((await page.timers.elapse())[0] >= 90_000);
});

test('the list is shown even if the first batch of all fails', async () => {
  const page = setUp(fail(new HttpError(503, { error: 'Service unavailable' }, 0)));
  page.list = [{ _id: 'a'.repeat(24), description: 'known', date: '2026-03-01T00:00:00.000Z' }];
  add(page, 'one');
  await page.sync.refresh();
  assert.deepEqual(page.expenseList.rows().map((r) => r.description), ['one', 'known']);
});

test('one operation that spoils the batch is set aside and its neighbours go through', async () => {
  const spoilt = (ops) => {
    if (ops.some((op) => op.data.description === 'bad')) {
      throw new HttpError(400, { error: 'no' }, 0);
    }
    return accept(ops);
  };
  const page = setUp(spoilt);
  ['one', 'bad', 'two'].forEach((text) => add(page, text));
  await page.sync.run();
  assert.deepEqual(page.queue.pending(), []);
  assert.deepEqual(page.queue.refused().map((op) => [op.data.description, op.refused]), [['bad', 'no']]);
});

test('an answer that covers nothing is a failure, not an endless loop', async () => {
  const page = setUp(() => []);
  add(page, 'one');
  await page.sync.run();
  assert.equal(page.seen.filter(Array.isArray).length, 1);
  assert.equal(page.queue.all().length, 1);
});

test('the end of the session is told once and loses nothing', async () => {
  const page = setUp(fail(new Unauthorized(401, { error: 'Invalid token.' }, 0)));
  let ended = 0;
  page.sync.addEventListener('ended', () => ended++);
  add(page, 'one');
  await page.sync.run();
  await page.sync.run();
  assert.equal(ended, 1);
  assert.equal(page.queue.all().length, 1);
  assert.deepEqual(page.timers.pending, []);
});

test('a refused operation brings the parked ones onto the page', async () => {
  const page = setUp((ops) => ops.map((op) => ({ resourceId: op.resourceId, success: false, status: 'parked', error: 'no' })));
  await page.sync.refresh();
  page.seen.length = 0;
  add(page, 'one');
  await page.sync.run();
  assert.deepEqual(page.seen, [['one'], 'parked']);
  assert.equal(page.queue.all().length, 0);
});

test('a replayed answer is followed by the list, for it may be old', async () => {
  const page = setUp((ops) => accept(ops).map((r) => ({ ...r, status: 'duplicate' })));
  await page.sync.refresh();
  page.seen.length = 0;
  add(page, 'one');
  await page.sync.run();
  assert.deepEqual(page.seen, [['one'], 'list']);
});
