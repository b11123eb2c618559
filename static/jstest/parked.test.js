import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Parked } from '../js/parked.js';
import { listenToServer } from '../js/serverevents.js';

/** A server with so many parked operations, of which every tenth fails again; it notes what it is asked. */
function server(count) {
  const api = { asked: [], waiting: Array.from({ length: count }, (_, i) => ({ _id: `op${String(i).padStart(5, '0')}`, action: 'UPDATE' })) };
  const from = (after) => api.waiting.filter((op) => op._id > after);
  api.parked = async ({ limit, after = '' }) => {
    api.asked.push(`list ${limit}`);
    const operations = from(after).slice(0, limit);
    const more = operations.length < from(after).length;
    return { operations, total: api.waiting.length, next: more ? operations.at(-1)._id : null, last: api.waiting.at(-1)?._id ?? null };
  };
  api.discardAllParked = async (through) => {
    const upTo = api.waiting.filter((op) => op._id <= through);
    api.waiting = api.waiting.filter((op) => !upTo.slice(0, 500).includes(op));
    return { discarded: Math.min(500, upTo.length), left: Math.max(0, upTo.length - 500) };
  };
  api.retryAllParked = async (through, after) => {
    const some = from(after).filter((op) => op._id <= through).slice(0, 50);
    const failed = some.filter((op) => op._id.endsWith('0'));
    api.waiting = api.waiting.filter((op) => !some.includes(op) || failed.includes(op));
    return { applied: some.length - failed.length, failed: failed.length, next: some.length === 50 ? some.at(-1)._id : null };
  };
  return api;
}

function progressOf(parked) {
  const seen = [];
  parked.addEventListener('change', () => parked.progress && seen.push(parked.progress.done));
  return seen;
}

test('thousands are counted, and listed in pages', async () => {
  const api = server(3_000);
  const parked = new Parked(api);
  await parked.load();
  assert.deepEqual([parked.operations.length, parked.total, parked.more], [20, 3_000, true]);
  await parked.loadMore();
  await parked.load(); // what was loaded stays
  assert.deepEqual([parked.operations.length, new Set(parked.operations).size], [40, 40]);
  assert.deepEqual(api.asked, ['list 20', 'list 20', 'list 40']);
});

test('all are discarded in portions, but for one that came later', async () => {
  const api = server(1_200);
  const parked = new Parked(api);
  await parked.load();
  api.waiting.push({ _id: 'op99999' });
  const seen = progressOf(parked);
  await parked.discardAll();
  assert.deepEqual(api.waiting.map((op) => op._id), ['op99999']);
  assert.deepEqual(seen, [0, 500, 1000, 1200]);
  assert.equal(parked.progress, null);
});

test('all are retried in portions, and those that fail stay', async () => {
  const api = server(1_020);
  const parked = new Parked(api);
  await parked.load();
  const seen = progressOf(parked);
  assert.deepEqual(await parked.retryAll(), { applied: 918, failed: 102 });
  assert.equal(api.waiting.length, 102);
  assert.equal(seen.at(-1), 1_020);
});

test('an error ends it, and the progress with it', async () => {
  const api = server(100);
  const parked = new Parked(api);
  await parked.load();
  api.discardAllParked = async () => { throw new Error('The server cannot be reached'); };
  await assert.rejects(parked.discardAll(), /reached/);
  assert.equal(parked.progress, null);
});

test('of nothing all is done at once', async () => {
  const parked = new Parked(server(0));
  await parked.load();
  assert.deepEqual(await parked.retryAll(), { applied: 0, failed: 0 });
  await parked.discardAll();
});

test('a retried change of an entry that is gone is no success', async () => {
  const parked = new Parked({ retryParked: async () => ({ success: true, status: 'not_found', error: 'Expense not found' }) });
  await assert.rejects(parked.retry({ _id: 'x', action: 'UPDATE' }), /Expense not found/);
});

test('a change that another device decided on is loaded again, and other entries load nothing', async () => {
  const parked = new Parked(server(0));
  parked.operations = [{ _id: 'op1', action: 'UPDATE', resourceId: 'pizza' }];
  const handlers = {};
  let loads = 0;
  listenToServer({
    parked, live: { listen: (event, handle) => { handlers[event] = handle; } },
    sync: { refreshParked: () => { loads++; } }, expenseList: { applyEvent: () => {} }, budgets: { refreshSoon: () => {} },
  });
  handlers.expense_updated({ _id: 'bus' });
  assert.equal(loads, 0);
  handlers.expense_updated({ _id: 'pizza' });
  handlers.expense_deleted({ id: 'pizza' });
  assert.equal(loads, 2);
});
