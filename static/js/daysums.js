import { dayOfRow } from './days.js';
import { micros } from './numbers.js';
import { isForeign } from './permissions.js';

/**
 * What came in and went out, by day, currency and category, in millionths. Rows come
 * and go one at a time; what is asked for is added up from the days, so that nothing
 * here depends on which day it is.
 *
 * Rows that are to be deleted do not count, nor do expenses that others share, whose
 * money it is. The currency is the one that rows name, '' if they name none.
 */
export class DaySums {
  #days = new Map(); // day to a map from currency to its sum

  /** The sums of some rows. */
  static of(rows) {
    const sums = new DaySums();
    rows.forEach((row) => sums.add(row));
    return sums;
  }

  add(row) {
    this.#count(row, 1);
  }

  /** Takes out a row that was added, as it was then. */
  remove(row) {
    this.#count(row, -1);
  }

  /**
   * The sums of the days from one to another, both included, by currency: {rows,
   * income, spent, categories, named}. Under '' is the sum of home, the account's
   * currency, in which rows without one are too; `named` says whether a row names it.
   */
  between(from, to, home = '') {
    const sums = new Map();
    for (const [day, currencies] of this.#days) {
      if (day >= from && day <= to) {
        currencies.forEach((sum, name) => plus(entry(sums, name === home ? '' : name, emptySum), sum, name !== ''));
      }
    }
    return sums;
  }

  /** The days from one to another that have rows, in order: [day, sums by currency]. */
  days(from, to) {
    return [...this.#days].filter(([day]) => day >= from && day <= to).sort(([a], [b]) => (a < b ? -1 : 1));
  }

  #count(row, sign) {
    if (row.pending === 'DELETE' || isForeign(row)) {
      return;
    }
    const day = row.order?.slice(0, row.order.indexOf(' ')) ?? dayOfRow(row); // the day that it had when it was added
    const currencies = entry(this.#days, day, () => new Map());
    const sum = entry(currencies, row.currency ?? '', emptySum);
    addRow(sum, row, sign);
    if (sum.rows === 0) {
      currencies.delete(row.currency ?? '');
    }
    if (currencies.size === 0) {
      this.#days.delete(day);
    }
  }
}

function addRow(sum, row, sign) {
  const amount = micros(row.amount ?? 0) * BigInt(sign);
  sum.rows += sign;
  if (row.type === 'income') {
    sum.income += amount;
    return;
  }
  sum.spent += amount;
  const category = entry(sum.categories, row.category, () => ({ rows: 0, spent: 0n }));
  category.rows += sign;
  category.spent += amount;
  if (category.rows === 0) {
    sum.categories.delete(row.category);
  }
}

function plus(to, sum, named) {
  to.named ||= named;
  to.rows += sum.rows;
  to.income += sum.income;
  to.spent += sum.spent;
  sum.categories.forEach(({ rows, spent }, name) => {
    const category = entry(to.categories, name, () => ({ rows: 0, spent: 0n }));
    category.rows += rows;
    category.spent += spent;
  });
}

function emptySum() {
  return { rows: 0, income: 0n, spent: 0n, categories: new Map(), named: false };
}

function entry(map, key, make) {
  if (!map.has(key)) {
    map.set(key, make());
  }
  return map.get(key);
}
