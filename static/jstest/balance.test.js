import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Balance } from '../js/balance.js';
import { ExpenseList } from '../js/expenselist.js';
import { Queue } from '../js/queue.js';
import { Storage } from '../js/storage.js';
import { applied, FakeDisk, snapshot } from './fakes.js';

async function setUp(list = []) {
  const storage = new Storage(new FakeDisk());
  const queue = new Queue({ storage, userId: 'alice', deviceId: 'device_1' });
  const expenseList = new ExpenseList({ queue, deviceId: 'device_1' });
  await expenseList.catchUp(async () => snapshot(list));
  return { queue, expenseList, balance: new Balance({ expenseList, queue, home: () => 'INR' }) };
}

const expense = (id, amount, fields = {}) => ({ _id: id.repeat(24), amount, type: 'expense', date: '2026-02-01T00:00:00.000Z', version: 1, ...fields });
const shown = (balance) => balance.sums().map((s) => `${s.balance / 10_000n} ${s.currency}`.trim());

test('what the server says counts, whatever this page knows', async () => {
  const { balance } = await setUp([expense('a', 5)]);
  assert.deepEqual(shown(balance), ['-500']);
  balance.setFromServer({ balance: 12.5 });
  assert.deepEqual(shown(balance), ['1250']);
});

test('what waits here counts at once, and stays counted until the server has told anew', async () => {
  const { balance, queue, expenseList } = await setUp([expense('a', 5)]);
  balance.setFromServer({ balance: -5 });
  queue.create({ amount: 2, type: 'expense', date: '2026-02-02T00:00:00.000Z' });
  assert.deepEqual(shown(balance), ['-700']);
  const batch = queue.nextBatch(1);
  expenseList.applyOutcomes(queue.applyResults(batch, batch.map((op) => applied(op, { _id: 'b'.repeat(24), version: 1 }))));
  assert.deepEqual(shown(balance), ['-700']); // not -5.00 for a moment
  balance.setFromServer({ balance: -7 });
  assert.deepEqual(shown(balance), ['-700']);
});

test('a word of the server that comes before its answer takes nothing back', async () => {
  const { balance, queue, expenseList } = await setUp([expense('a', 5)]);
  queue.create({ amount: 2, type: 'expense', date: '2026-02-02T00:00:00.000Z' });
  const batch = queue.nextBatch(1);
  balance.setFromServer({ balance: -7 });
  assert.deepEqual(shown(balance), ['-700']);
  expenseList.applyOutcomes(queue.applyResults(batch, batch.map((op) => applied(op, { _id: 'b'.repeat(24), version: 1 }))));
  assert.deepEqual(shown(balance), ['-700']);
});

test('what the server says of other currencies stands beside the account\'s, which comes first', async () => {
  const { balance } = await setUp([expense('a', 5, { currency: 'EUR' }), expense('b', 3)]);
  assert.deepEqual(shown(balance), ['-300', '-500 EUR']);
  balance.setFromServer({ balance: -3, expense: 3, byCurrency: [{ currency: 'EUR', balance: -6 }] });
  assert.deepEqual(shown(balance), ['-300', '-600 EUR']);
});

test('the account\'s currency is named where an entry names it, and left out where there is none of it', async () => {
  const { balance } = await setUp([expense('a', 5, { currency: 'INR' }), expense('b', 3)]);
  assert.deepEqual(shown(balance), ['-800 INR']);
  balance.setFromServer({ balance: 0, byCurrency: [{ currency: 'EUR', balance: 2 }] });
  assert.deepEqual(shown(balance), ['200 EUR']);
});

test('without anything there is nothing', async () => {
  const { balance } = await setUp();
  assert.deepEqual(shown(balance), ['0']);
});
