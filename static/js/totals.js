import { dayOf } from './format.js';
import { micros } from './numbers.js';
import { isForeign } from './rights.js';

/**
 * Sums of rows, one per currency, the most used currency first: what is left
 * over of everything, and what came in and went out in the month of now. All in
 * millionths. What waits to be deleted does not count, nor what others share: that
 * is their money.
 */
export function totals(rows, now = new Date()) {
  const month = dayOf(now).slice(0, 7);
  const sums = new Map();
  for (const row of rows.filter((r) => r.pending !== 'DELETE' && !isForeign(r))) {
    add(sumOf(sums, row.currency ?? ''), row, month);
  }
  return [...sums.values()].sort((a, b) => b.rows - a.rows);
}

/** What a day or any other group of rows adds up to, per currency. */
export function net(rows) {
  return totals(rows).map(({ currency, balance }) => ({ currency, balance }));
}

/** The amount of a row, negative for an expense. */
export function signed(row) {
  return row.type === 'income' ? micros(row.amount) : -micros(row.amount);
}

function sumOf(sums, currency) {
  if (!sums.has(currency)) {
    sums.set(currency, { currency, rows: 0, balance: 0n, income: 0n, spent: 0n });
  }
  return sums.get(currency);
}

function add(sum, row, month) {
  const amount = signed(row);
  sum.rows++;
  sum.balance += amount;
  if (dayOf(row.date).startsWith(month)) {
    sum[row.type === 'income' ? 'income' : 'spent'] += amount < 0n ? -amount : amount;
  }
}
