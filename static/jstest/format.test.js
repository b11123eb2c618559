import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayOf, dayTitle, instantOf, micros, money, parseAmount, sentence, typedAmount } from '../js/format.js';
import { net, totals } from '../js/totals.js';

test('an amount is understood as it is written where the reader lives', () => {
  const understood = [
    ['12.50', '.', 12.5], ['12,50', '.', 12.5], ['12,50', ',', 12.5], ['12.50', ',', 12.5],
    ['1,000', '.', 1000], ['1,000', ',', 1], ['1.000', ',', 1000], ['1.000', '.', 1],
    ['1,234,567.89', '.', 1234567.89], ['1.234.567,89', ',', 1234567.89], ["1'234.50", '.', 1234.5],
    ['1 234,5', ',', 1234.5], ['.5', '.', 0.5], ['7.', '.', 7],
  ];
  for (const [text, sign, want] of understood) {
    assert.equal(parseAmount(text, sign), want, `${text} with ${sign}`);
  }
});

test('what is no amount is none', () => {
  for (const text of ['', 'abc', '-5', '1e5', '1,2,3', '1.2.3', '0x10', '12 EUR', '.', 'Infinity', '١٢']) {
    assert.ok(Number.isNaN(parseAmount(text, '.')), text);
  }
});

test('sums are exact: ten times a tenth is one', () => {
  const rows = Array.from({ length: 10 }, () => ({ amount: 0.1, type: 'income', date: '2026-03-05T12:00:00Z' }));
  const [sum] = totals(rows, new Date('2026-03-20T12:00:00Z'));
  assert.deepEqual([sum.balance, sum.income, sum.spent], [1_000_000n, 1_000_000n, 0n]);
});

test('the largest amount does not lose a cent', () => {
  assert.equal(micros(9_000_000_000_000) - micros(0.01), 8_999_999_999_999_990_000n);
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

test('an amount has two decimals, and more only if it has them', () => {
  const texts = [money(micros(12)), money(micros(12.345)), money(-micros(0.5)), money(micros(3), 'BTC12')];
  assert.deepEqual(texts.map((t) => t.replace(',', '.')), ['12.00', '12.345', '−0.50', '3.00 BTC12']);
  assert.equal(typedAmount(3.2).replace(',', '.'), '3.20');
});

test('a day stays the day that was chosen, and today keeps the time', () => {
  const now = new Date(2026, 2, 5, 23, 59);
  assert.equal(dayOf(instantOf('2026-03-01', now)), '2026-03-01');
  assert.equal(instantOf('2026-03-05', now), now.toISOString());
  assert.deepEqual([dayTitle('2026-03-05', now), dayTitle('2026-03-04', now)], ['Today', 'Yesterday']);
});

test('the contract\'s texts are put into words for people', () => {
  assert.equal(sentence('"name" is required'), 'Name is required.');
  assert.equal(sentence('Invalid token.'), 'Invalid token.');
});

test('amounts that nobody can enter do not stop the page from showing them', () => {
  assert.deepEqual([micros(-0.5), micros(1e21), micros(1e-7)], [-500_000n, 10n ** 27n, 0n]);
});
