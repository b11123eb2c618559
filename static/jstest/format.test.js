import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentence } from '../js/format.js';
import { DaySums } from '../js/daysums.js';
import { balanceOf, net } from '../js/totals.js';

test('sums are exact: ten times a tenth is one', () => {
  const rows = Array.from({ length: 10 }, () => ({ amount: 0.1, type: 'income', date: '2026-03-05T12:00:00Z' }));
  const [sum] = balanceOf(DaySums.of(rows), { now: new Date('2026-03-20T12:00:00Z') });
  assert.deepEqual([sum.balance, sum.income, sum.spent], [1_000_000n, 1_000_000n, 0n]);
});

test('currencies are never added up, and what is being deleted does not count', () => {
  const rows = [
    { amount: 5, type: 'expense', currency: 'EUR', date: '2026-03-05T12:00:00Z' },
    { amount: 7, type: 'expense', date: '2026-02-05T12:00:00Z' },
    { amount: 1, type: 'income', date: '2026-02-05T12:00:00Z' },
    { amount: 9, type: 'income', date: '2026-02-05T12:00:00Z', pending: 'DELETE' },
  ];
  assert.deepEqual(net(rows), [{ currency: '', balance: -6_000_000n }, { currency: 'EUR', balance: -5_000_000n }]);
});

test('the contract\'s texts are put into words for people', () => {
  assert.equal(sentence('"name" is required'), 'Name is required.');
  assert.equal(sentence('Invalid token.'), 'Invalid token.');
});
