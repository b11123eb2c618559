import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dashboard, points, rangeOf } from '../js/dashboard.js';
import { FakeLive, settled } from './fakes.js';

const now = Date.parse('2026-03-05T23:30:00Z');

test('ranges are whole days of the server', () => {
  assert.deepEqual(['month', 'previous', 'days', 'year'].map((name) => Object.values(rangeOf(name, now))), [
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

function setUp() {
  const live = new FakeLive();
  return { live, dashboard: new Dashboard({ live, now: () => now }) };
}

const update = (version, range = rangeOf('month', now)) => ({ ...range, version, totals: { count: version } });

test('it is asked for while somebody looks, and with each new connection', async () => {
  const { live, dashboard } = setUp();
  live.connect();
  assert.deepEqual(live.requests, []);
  dashboard.setVisible(true);
  dashboard.setVisible(true);
  live.connect();
  dashboard.choose('year');
  dashboard.setVisible(false);
  live.connect();
  await settled();
  const [month, year] = [rangeOf('month', now), rangeOf('year', now)];
  assert.deepEqual(live.requests.map(([event, payload]) => [event, payload?.from, payload?.to]), [
    ['dashboard:subscribe', month.from, month.to], ['dashboard:subscribe', month.from, month.to],
    ['dashboard:subscribe', year.from, year.to], ['dashboard:unsubscribe', undefined, undefined],
  ]);
});

test('what is late for another range, or older than what is shown, is not shown', () => {
  const { live, dashboard } = setUp();
  live.connect();
  dashboard.setVisible(true);
  live.receive('dashboard:update', update(3));
  live.receive('dashboard:update', update(2));
  assert.equal(dashboard.shown.version, 3);
  dashboard.choose('previous');
  assert.equal(dashboard.shown, null);
  live.receive('dashboard:update', update(4));
  assert.equal(dashboard.shown, null);
  live.receive('dashboard:update', update(4, rangeOf('previous', now)));
  assert.equal(dashboard.shown.version, 4);
});
