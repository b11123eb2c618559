import { dayOfRow, today } from './days.js';
import { micros } from './numbers.js';
import { isForeign } from './permissions.js';

/**
 * Sums of rows, one per currency: the balance of everything, and what came in and
 * went out in the month of now, in millionths. home is the account's currency, in
 * which rows without one are; its sum comes first, then the most used one.
 *
 * A sum's `currency` is what to show beside it: '' for the home currency
 * until a row names it. Rows to be deleted do not count, nor do expenses shared by
 * others, whose money it is.
 */
export function totals(rows, { home = '', now = Date.now() } = {}) {
  const month = today(now).slice(0, 7);
  const sums = new Map();
  for (const row of rows.filter((r) => r.pending !== 'DELETE' && !isForeign(r))) {
    add(sumOf(sums, row.currency || home, home), row, month);
  }
  return [...sums.values()].sort((a, b) => b.isHome - a.isHome || b.rows - a.rows);
}

/** What a day or any other group of rows adds up to, per currency. */
export function net(rows, home) {
  return totals(rows, { home }).map(({ currency, balance }) => ({ currency, balance }));
}

/** The amount of a row, negative for an expense. */
export function signed(row) {
  return row.type === 'income' ? micros(row.amount) : -micros(row.amount);
}

function sumOf(sums, currency, home) {
  if (!sums.has(currency)) {
    const isHome = currency === home;
    sums.set(currency, { currency: isHome ? '' : currency, isHome, rows: 0, balance: 0n, income: 0n, spent: 0n });
  }
  return sums.get(currency);
}

function add(sum, row, month) {
  const amount = signed(row);
  sum.rows++;
  sum.currency ||= row.currency ?? '';
  sum.balance += amount;
  if (dayOfRow(row).startsWith(month)) {
    sum[row.type === 'income' ? 'income' : 'spent'] += amount < 0n ? -amount : amount;
  }
}
