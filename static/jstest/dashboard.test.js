import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dashboard, points, rangeOf } from '../js/dashboard.js';
import { ExpenseList } from '../js/expenselist.js';
import { Queue } from '../js/queue.js';
import { Storage } from '../js/storage.js';
import { applied, FakeDisk, FakeLive, settled, snapshot } from './fakes.js';

const now = Date.parse('2026-03-05T23:30:00Z');

test('ranges are whole days of the server', () => {
  assert.deepEqual(['month', '2026-02', 'days', 'year'].map((name) => Object.values(rangeOf(name, now))), [
    ['2026-03-01', '2026-03-31'], ['2026-02-01', '2026-02-28'], ['2026-02-04', '2026-03-05'], ['2026-01-01', '2026-12-31'],
  ]);
});

test('days without entries are days too', () => {
  const list = points({ from: '2026-02-27', to: '2026-03-02', series: [{ date: '2026-03-01', income: 1, expense: 2 }] });
  assert.deepEqual(list.map((p) => [p.key, p.income, p.expense]), [['2026-02-27', 0, 0], ['2026-02-28', 0, 0], ['2026-03-01', 1, 2], ['2026-03-02', 0, 0]]);
});

test('a long span is told by the month, and its sums are exact', () => {
  const series = Array.from({ length: 10 }, (_, i) => ({ date: `2026-02-${10 + i}`, income: 0.1, expense: 0 }));
  const list = points({ from: '2026-01-01', to: '2026-12-31', series });
  assert.equal(list.length, 12);
  assert.deepEqual(list[1], { key: '2026-02', income: 1, expense: 0 });
});

/** A page whose book has these expenses, or is not complete. */
async function setUp(expenses = null) {
  const live = new FakeLive();
  const queue = new Queue({ storage: new Storage(new FakeDisk()), userId: 'alice', deviceId: 'device_1', now: () => now });
  const expenseList = new ExpenseList({ queue, deviceId: 'device_1' });
  expenses && await expenseList.catchUp(async () => snapshot(expenses));
  return { live, queue, expenseList, dashboard: new Dashboard({ live, queue, expenseList, home: () => 'INR', now: () => now }) };
}

const counted = (name) => ({ ...rangeOf(name, now), to: '2026-03-05' });
const id = (n) => String(n).padStart(24, '0');
const expense = (n, day, fields = {}) => ({ _id: id(n), amount: 1, type: 'expense', category: 'food', date: `${day}T00:00:00.000Z`, day, version: 1, ...fields });

const update = (version, range = counted('month')) => ({ ...range, version, totals: { count: version } });

test('it is asked for while somebody looks, and with each new connection', async () => {
  const { live, dashboard } = await setUp();
  live.connect();
  assert.deepEqual(live.requests, []);
  dashboard.setVisible(true);
  dashboard.setVisible(true);
  live.connect();
  dashboard.choose('year');
  dashboard.setVisible(false);
  live.connect();
  await settled();
  const [month, year] = [counted('month'), counted('year')];
  assert.deepEqual(live.requests.map(([event, payload]) => [event, payload?.from, payload?.to]), [
    ['dashboard:subscribe', month.from, month.to], ['dashboard:subscribe', month.from, month.to],
    ['dashboard:subscribe', year.from, year.to], ['dashboard:unsubscribe', undefined, undefined],
  ]);
});

test('what is late for another range, or older than what is shown, is not shown', async () => {
  const { live, dashboard } = await setUp();
  live.connect();
  dashboard.setVisible(true);
  live.receive('dashboard:update', update(3));
  live.receive('dashboard:update', update(2));
  assert.equal(dashboard.shown.version, 3);
  dashboard.choose('2026-02');
  assert.equal(dashboard.shown, null);
  live.receive('dashboard:update', update(4));
  assert.equal(dashboard.shown, null);
  live.receive('dashboard:update', update(4, rangeOf('2026-02', now)));
  assert.equal(dashboard.shown.version, 4);
});

test('without a server it is that of the book, until today', async () => {
  const { dashboard } = await setUp([
    expense(1, '2026-03-01', { amount: 10, type: 'income' }), expense(2, '2026-03-05', { amount: 0.1 }), expense(3, '2026-03-05', { amount: 0.2, currency: 'INR', category: 'bills' }),
    expense(4, '2026-03-05', { amount: 7, currency: 'EUR' }), expense(5, '2026-03-06', { amount: 100 }), expense(6, '2026-02-28', { amount: 50 }),
  ]);
  const { byCurrency, ...shown } = dashboard.shown;
  assert.deepEqual(shown, {
    from: '2026-03-01', to: '2026-03-31', upcoming: 1, version: 0, currency: 'INR',
    totals: { income: 10, expense: 0.3, balance: 9.7, count: 3 },
    byCategory: [{ category: 'bills', total: 0.2, count: 1, percentage: 66.666667 }, { category: 'food', total: 0.1, count: 1, percentage: 33.333333 }],
    series: [{ date: '2026-03-01', income: 10, expense: 0 }, { date: '2026-03-05', income: 0, expense: 0.3 }],
  });
  assert.deepEqual(byCurrency, [{ currency: 'EUR', income: 0, expense: 7, balance: -7, count: 1 }]);
  dashboard.choose('2026-02');
  assert.deepEqual([dashboard.shown.from, dashboard.shown.to, dashboard.shown.totals.expense], ['2026-02-01', '2026-02-28', 50]);
  dashboard.choose('2026-04');
  assert.deepEqual([dashboard.shown.to, dashboard.shown.totals.count, dashboard.shown.upcoming], ['2026-04-30', 0, 0]);
});

test('with a server it is the server\'s, and what is changed here counts at once', async () => {
  const { dashboard, live, queue, expenseList } = await setUp([expense(1, '2026-03-05', { amount: 3 })]);
  live.connect();
  dashboard.setVisible(true);
  live.receive('dashboard:update', { ...counted('month'), version: 7, totals: { expense: 4 } });
  assert.equal(dashboard.shown.totals.expense, 4);
  queue.create({ amount: 2, type: 'expense', category: 'food', date: '2026-03-05', day: '2026-03-05' });
  assert.equal(dashboard.shown.totals.expense, 5);
  const batch = queue.nextBatch(1);
  expenseList.applyOutcomes(queue.applyResults(batch, batch.map((op) => applied(op, { _id: id(2), version: 1 }))));
  assert.equal(dashboard.shown.totals.expense, 5, 'not the old figure for a moment');
  live.receive('dashboard:update', { ...counted('month'), version: 8, totals: { expense: 6 } });
  assert.equal(dashboard.shown.totals.expense, 6);
  live.connected = false;
  live.dispatchEvent(new Event('state'));
  assert.equal(dashboard.shown.totals.expense, 5);
});

test('the figures of another currency are those of the book, and nothing is converted', async () => {
  const { dashboard, live } = await setUp([expense(1, '2026-03-05', { amount: 3 }), expense(2, '2026-03-05', { amount: 7, currency: 'EUR' })]);
  live.connect();
  dashboard.setVisible(true);
  live.receive('dashboard:update', { ...counted('month'), version: 7, totals: { expense: 4 } });
  dashboard.chooseCurrency('EUR');
  const { totals, series, byCurrency, currency } = dashboard.shown;
  assert.deepEqual([currency, totals.expense, series, byCurrency.map((c) => [c.currency, c.expense])],
    ['EUR', 7, [{ date: '2026-03-05', income: 0, expense: 7 }], [['INR', 3]]]);
  dashboard.chooseCurrency('INR');
  assert.equal(dashboard.shown.totals.expense, 4);
});
