import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Balance } from '../js/balance.js';
import { Book } from '../js/book.js';
import { agrees, BookCheck } from '../js/bookcheck.js';
import { DaySums } from '../js/daysums.js';
import { ExpenseList } from '../js/expenselist.js';
import { Queue } from '../js/queue.js';
import { Storage } from '../js/storage.js';
import { applied, FakeDisk, FakeLive, FakeTimers, snapshot } from './fakes.js';

const at = Date.parse('2026-02-03T12:00:00Z');

/** A page whose book has these expenses, or is not complete. */
async function setUp(list = null, { kept = null, home = 'INR' } = {}) {
  const clock = { now: at };
  const queue = new Queue({ storage: new Storage(new FakeDisk()), userId: 'alice', deviceId: 'device_1', now: () => clock.now });
  const expenseList = new ExpenseList({ queue, deviceId: 'device_1', book: new Book({ now: () => clock.now }) });
  const live = new FakeLive();
  const keep = { value: kept, get: () => keep.value, set: (value) => { keep.value = value; } };
  list && await expenseList.catchUp(async () => snapshot(list));
  return { queue, expenseList, live, keep, clock, balance: new Balance({ expenseList, live, keep, home: () => home, now: () => clock.now }) };
}

const expense = (id, amount, fields = {}) => ({ _id: id.repeat(24), amount, type: 'expense', date: '2026-02-01T00:00:00.000Z', version: 1, ...fields });
const shown = (balance) => balance.sums().map((s) => `${s.balance / 10_000n} ${s.currency}`.trim());

test('what waits here counts at once, and stays counted when it is answered', async () => {
  const { balance, queue, expenseList } = await setUp([expense('a', 5)]);
  balance.setFromServer({ balance: -5, expense: 5 });
  queue.create({ amount: 2, type: 'expense', date: '2026-02-02T00:00:00.000Z' });
  assert.deepEqual(shown(balance), ['-700']);
  const batch = queue.nextBatch(1);
  expenseList.applyOutcomes(queue.applyResults(batch, batch.map((op) => applied(op, { _id: 'b'.repeat(24), version: 1 }))));
  assert.deepEqual(shown(balance), ['-700']); // not -5.00 for a moment
});

test('entries of days to come count from their day on, and stand apart until then', async () => {
  const { balance, clock } = await setUp([expense('a', 5), expense('b', 70, { date: '2026-02-04T00:00:00.000Z', day: '2026-02-04' })]);
  balance.setFromServer({ balance: -75, expense: 75 });
  assert.deepEqual(shown(balance), ['-500']);
  assert.deepEqual(balance.upcoming().map((s) => s.balance), [-70_000_000n]);
  clock.now += 86_400_000;
  assert.deepEqual([shown(balance), balance.upcoming()], [['-7500'], []]);
});

test('currencies stand beside each other, the account\'s first, with the name that entries give it', async () => {
  const { balance } = await setUp([expense('a', 5, { currency: 'EUR' }), expense('c', 5, { currency: 'EUR' }), expense('b', 3)]);
  assert.deepEqual(shown(balance), ['-300', '-1000 EUR']);
  const named = await setUp([expense('a', 5, { currency: 'INR' }), expense('b', 3)]);
  assert.deepEqual(shown(named.balance), ['-800 INR']);
  const chosen = await setUp([expense('a', 500)], { home: 'JPY' });
  assert.deepEqual(shown(chosen.balance), ['-50000 JPY'], 'a currency that somebody chose is shown, with its decimals');
});

test('without a book it is the last that the server told, as of then', async () => {
  const { balance, keep, live, clock } = await setUp();
  assert.equal(balance.known, false);
  live.connect();
  balance.setFromServer({ balance: 12.5, income: 12.5, byCurrency: [{ currency: 'EUR', balance: -6 }] });
  assert.deepEqual([balance.known, balance.asOf], [false, null], 'the book is on its way, and counts otherwise');
  live.connected = false;
  assert.deepEqual([balance.known, shown(balance), balance.asOf], [true, ['1250', '-600 EUR'], at]);

  const later = await setUp(null, { kept: keep.value });
  later.clock.now += 3_600_000;
  assert.deepEqual([shown(later.balance), later.balance.asOf], [['1250', '-600 EUR'], at]);
  const abroad = await setUp(null, { kept: { balance: 0, income: 0, expense: 0, byCurrency: [{ currency: 'EUR', balance: 2 }], at } });
  assert.deepEqual(shown(abroad.balance), ['200 EUR']);
  assert.equal(clock.now, at);
});

test('a book says as of when it is while there is no connection', async () => {
  const { balance, live, expenseList, clock } = await setUp([expense('a', 5)]);
  assert.equal(balance.asOf, expenseList.at);
  live.connect();
  assert.equal(balance.asOf, null);
  clock.now += 60_000;
  live.connected = false;
  live.dispatchEvent(new Event('state'));
  assert.equal(balance.asOf, clock.now, 'it was right until the connection ended');
  clock.now += 60_000;
  live.dispatchEvent(new Event('state')); // an attempt that failed
  assert.equal(balance.asOf, clock.now - 60_000);
});

test('what the server told is compared in every currency', () => {
  const sums = DaySums.of([expense('a', 5, { currency: 'EUR' }), expense('b', 0.1), expense('c', 0.2, { currency: 'INR' }), expense('d', 9_000_000_000_000, { type: 'income' })]);
  const told = { income: 9_000_000_000_000, expense: 0.3, currency: 'INR', byCurrency: [{ currency: 'EUR', income: 0, expense: 5 }] };
  assert.equal(agrees(sums, told), true);
  for (const wrong of [{ expense: 0.31 }, { income: 1 }, { byCurrency: [] }, { byCurrency: [{ currency: 'EUR', income: 0, expense: 6 }] },
    { byCurrency: [{ currency: 'USD', income: 0, expense: 5 }] }, { currency: 'EUR' }]) {
    assert.equal(agrees(sums, { ...told, ...wrong }), false, JSON.stringify(wrong));
  }
});

test('a book that differs from the server\'s balance is read anew, and not again and again', async () => {
  const page = await setUp([expense('a', 5)]);
  const timers = new FakeTimers();
  const sync = { busy: false, asked: 0, refresh() { this.asked++; } };
  new BookCheck({ ...page, sync, timers, now: () => page.clock.now });
  const tell = async (spent) => {
    const told = { balance: -spent, income: 0, expense: spent, currency: 'INR', byCurrency: [] };
    page.balance.setFromServer(told);
    page.live.receive('account:balance', told);
    await timers.elapse();
  };
  page.live.connect();
  await tell(5);
  assert.equal(sync.asked, 0);
  page.queue.create({ amount: 2, type: 'expense', date: '2026-02-02T00:00:00.000Z' });
  await tell(7);
  assert.equal(sync.asked, 0, 'while something waits they may differ');
  page.queue.remove(page.queue.pending()[0].resourceId);
  await tell(7);
  await tell(8);
  assert.equal(sync.asked, 1);
  page.clock.now += 3_600_000;
  await tell(8);
  assert.equal(sync.asked, 2);
});
