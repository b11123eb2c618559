import assert from 'node:assert/strict';
import { test } from 'node:test';
import { daysOfMonth, isMonth, monthInWords, monthsLater } from '../js/months.js';

test('months are counted over the ends of years, there and back', () => {
  assert.equal(monthsLater('2026-11', 1), '2026-12');
  assert.equal(monthsLater('2026-11', 2), '2027-01');
  assert.equal(monthsLater('2026-01', -1), '2025-12');
  assert.equal(monthsLater('2026-11', -23), '2024-12');
  for (let n = -400; n <= 400; n++) {
    assert.equal(monthsLater(monthsLater('2026-11', n), -n), '2026-11');
  }
});

test('months end where the calendar of the page ends', () => {
  assert.equal(monthsLater('9999-12', 1), '9999-12');
  assert.equal(monthsLater('0001-01', -1), '0001-01');
});

test('a month has its days, in leap years too', () => {
  assert.deepEqual(daysOfMonth('2026-11'), { from: '2026-11-01', to: '2026-11-30' });
  assert.deepEqual(daysOfMonth('2024-02'), { from: '2024-02-01', to: '2024-02-29' });
  assert.deepEqual(daysOfMonth('2100-02'), { from: '2100-02-01', to: '2100-02-28' });
  assert.deepEqual(daysOfMonth('0099-12'), { from: '0099-12-01', to: '0099-12-31' });
  assert.deepEqual(daysOfMonth('9999-12'), { from: '9999-12-01', to: '9999-12-31' });
});

test('a month is four digits and two', () => {
  assert.deepEqual(['2026-11', '2026-00', '2026-13', '26-11', '0000-01', '2026-11-01', ''].filter(isMonth), ['2026-11']);
  assert.equal(monthInWords('2026-11', 'en-GB'), 'November 2026');
});
