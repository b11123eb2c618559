import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Book } from '../js/book.js';
import { Comparison } from '../js/comparison.js';
import { EventLog } from '../js/eventlog.js';
import { ExpenseList } from '../js/expenselist.js';
import { Queue } from '../js/queue.js';
import { Storage } from '../js/storage.js';
import { Sync } from '../js/sync.js';
import { FakeDisk, FakeTimers, snapshot } from './fakes.js';

const entry = (id, version, amount) => ({ _id: id.padStart(24, '0'), version, description: 'Lunch', amount, category: 'food', type: 'expense', date: '2026-03-01T00:00:00.000Z', day: '2026-03-01' });

/** A page whose copy was loaded from a server with these expenses; page.list is what the server has. */
async function loaded(list) {
  const queue = new Queue({ storage: new Storage(new FakeDisk()), userId: 'alice', deviceId: 'device_1' });
  const book = new Book();
  const expenseList = new ExpenseList({ queue, deviceId: 'device_1', book });
  const page = { book, list, asked: 0 };
  const api = {
    changes: async (position) => { page.asked++; return position ? { changes: [], next: position } : snapshot(page.list); },
  };
  page.sync = new Sync({ api, queue, expenseList, parked: { load: async () => {} }, timers: new FakeTimers() });
  await page.sync.refresh();
  page.comparison = new Comparison({ api, book, expenseList, sync: page.sync });
  return page;
}

test('a copy that has what the server has is equal', async () => {
  const page = await loaded([entry('1', 1, 5), entry('2', 3, 7)]);
  assert.deepEqual(await page.comparison.run(), { missing: [], extra: [], different: [] });
  assert.equal(page.comparison.total, 2);
});

test('a copy that misses, keeps and mistakes entries is mended', async () => {
  const page = await loaded([entry('1', 1, 5), entry('2', 1, 7), entry('3', 1, 9)]);
  page.list = [entry('1', 1, 5), entry('2', 1, 8), entry('4', 1, 2)];
  const id = (n) => n.padStart(24, '0');
  assert.deepEqual(await page.comparison.run(), { missing: [id('4')], extra: [id('3')], different: [id('2')] });
  assert.deepEqual(page.book.ids(), [id('1'), id('2'), id('4')]);
  assert.deepEqual(await page.comparison.run(), { missing: [], extra: [], different: [] });
});

test('what an event told while the server answered is no difference', async () => {
  const page = await loaded([entry('1', 1, 5)]);
  page.book.apply({ kind: 'updated', id: entry('1', 2, 6)._id, expense: entry('1', 2, 6) });
  assert.deepEqual(await page.comparison.run(), { missing: [], extra: [], different: [] });
});

test('a server that cannot be asked is an error', async () => {
  const page = await loaded([]);
  page.comparison = new Comparison({ api: { changes: async () => { throw new Error('away'); } }, book: page.book, expenseList: null, sync: page.sync });
  await assert.rejects(page.comparison.run(), /away/);
});

test('the log of events keeps the newest hundred, and nothing private', () => {
  let tell;
  const log = new EventLog({ listenToAll: (handle) => { tell = handle; } }, () => 7);
  tell('account:balance', { balance: 12.5 });
  tell('expense_created', { _id: 'e1', description: 'Lunch', amount: 12.5 }, 'an.offset.1');
  tell('expense:shared', { expenseId: 'e2', sharedWith: [] });
  assert.deepEqual(log.events, [{ at: 7, name: 'expense:shared', id: 'e2' }, { at: 7, name: 'expense_created', id: 'e1' }, { at: 7, name: 'account:balance', id: '' }]);
  for (let i = 0; i < 200; i++) {
    tell('expense_created', { _id: `n${i}` });
  }
  assert.equal(log.events.length, 100);
  assert.equal(log.count, 203);
  assert.equal(log.events[0].id, 'n199');
});
