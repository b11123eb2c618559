import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { DaySums } from '../js/daysums.js';
import { dated, dayOf, dayOfRow, dayTitle, inWords, isDay, monthName, onNewDay, rangeInWords, shift, today, useZone } from '../js/days.js';
import { rangeOf } from '../js/dashboard.js';
import { monthTotals } from '../js/totals.js';

afterEach(() => useZone('UTC'));

test('a moment is of the day that the account calls it', () => {
  const moments = [
    ['2026-11-01T03:00:00Z', 'America/New_York', '2026-10-31'],
    ['2026-11-30T23:30:00-05:00', 'America/New_York', '2026-11-30'],
    ['2026-10-31T11:30:00Z', 'Pacific/Auckland', '2026-11-01'],
    ['2024-02-29T07:59:59Z', 'America/Los_Angeles', '2024-02-28'],
    ['2024-02-29T08:00:00Z', 'America/Los_Angeles', '2024-02-29'],
    ['2026-03-08T09:59:59Z', 'America/Los_Angeles', '2026-03-08'], // the clock leaps from 2 to 3
    ['2026-04-04T14:30:00Z', 'Pacific/Auckland', '2026-04-05'], // 2:30 comes twice
  ];
  for (const [instant, zone, day] of moments) {
    useZone(zone);
    assert.equal(dayOf(instant), day, `${instant} in ${zone}`);
  }
});

test('the day that the server counts is shown, and a day without a time is that day everywhere', () => {
  useZone('America/Los_Angeles');
  assert.equal(dayOfRow({ date: '2026-11-01T00:00:00.000Z', day: '2026-11-01' }), '2026-11-01');
  assert.equal(dayOfRow({ date: '2026-11-01' }), '2026-11-01');
  assert.equal(dayOfRow({ date: '2026-11-01T00:00:00.000Z' }), '2026-10-31');
});

test('a day that is chosen stays that day, and today keeps the time', () => {
  useZone('Pacific/Auckland');
  const now = new Date('2026-10-31T20:00:00Z');
  assert.equal(today(now), '2026-11-01');
  assert.deepEqual(dated('2026-11-01', now), { date: now.toISOString(), day: '2026-11-01' });
  assert.deepEqual(dated('2026-10-31', now), { date: '2026-10-31', day: '2026-10-31' });
  assert.deepEqual([dayTitle('2026-11-01', now), dayTitle('2026-10-31', now), monthName('2026-11-01')], ['Today', 'Yesterday', 'November']);
});

test('days follow each other over month ends, leap days and changes of the clock', () => {
  assert.deepEqual([shift('2024-02-28', 1), shift('2024-03-01', -1), shift('2026-12-31', 1), shift('2026-03-29', 1)],
    ['2024-02-29', '2024-02-29', '2027-01-01', '2026-03-30']);
});

test('list, totals and overview mean the same month', () => {
  useZone('Pacific/Auckland');
  const now = Date.parse('2026-10-31T20:00:00Z'); // 1 November there
  const row = { amount: 5, type: 'expense', date: new Date(now).toISOString() };
  assert.equal(dayOfRow(row).slice(0, 7), rangeOf('month', now).from.slice(0, 7));
  assert.equal(monthTotals(DaySums.of([row]), '2026-11', { now })[0].spent, 5_000_000n);
  assert.deepEqual(monthTotals(DaySums.of([{ ...row, date: '2026-10-31' }]), '2026-11', { now }), []);
});

test('a year of five digits is no day', () => {
  assert.deepEqual(['2026-11-01', '20266-11-01', '', '2026-1-1'].map(isDay), [true, false, false, false]);
});

test('a zone that the browser does not know changes nothing', () => {
  useZone('America/New_York');
  useZone('Mars/Olympus');
  assert.equal(dayOf('2026-11-01T03:00:00Z'), '2026-10-31');
});

test('a page left open over the end of a month goes on with the next', (t) => {
  useZone('UTC');
  t.mock.timers.enable({ apis: ['setInterval', 'Date'], now: Date.parse('2026-11-30T23:59:50Z') });
  globalThis.document = new EventTarget();
  const days = [];
  const stop = onNewDay(() => days.push(today()));
  t.mock.timers.tick(20_000);
  t.mock.timers.tick(20_000);
  stop();
  delete globalThis.document;
  assert.deepEqual(days, ['2026-12-01']);
});

test('the month of sums was named by another calendar than it is counted by', () => {
  const month = inWords('2026-11-30', { month: 'numeric' }, 'fa-IR-u-nu-latn');
  assert.equal(month.replace(/\D/g, ''), '11');
});

test('a range of days in Persian swallowed the number beside it', () => {
  const range = rangeInWords('2026-11-01', '2026-11-30', { day: 'numeric', month: 'long' }, 'fa-IR');
  assert.match(range, /^\u2068.*\u2069$/);
  assert.doesNotMatch(rangeInWords('2026-11-01', '2026-11-30', { day: 'numeric', month: 'long' }, 'en'), /\u2068/);
});
