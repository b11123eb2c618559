import { dayOfRow } from './days.js';
import { isTemporary } from './queue.js';

/** Up to so many changed rows are put in their places one by one; more are merged. */
const fewRows = 40;

/**
 * Rows in descending order of their `order`, a text that no two rows share. The array
 * of all rows is never changed, only replaced: it is the same while nothing changed.
 */
export class SortedRows {
  all = [];

  /** Takes rows out that are there, and puts others in. */
  replace(gone, come) {
    if (gone.length + come.length === 0) {
      return;
    }
    this.all = gone.length + come.length <= fewRows ? oneByOne(this.all, gone, come) : merged(this.all, gone, come);
  }

  /** The index of the first row whose order is below a text, such as a day or a month: of its rows, the end. */
  endOf(text) {
    return firstBelow(this.all, text);
  }

  /** The months of the rows, newest first: {month, start, count}, with the index of the first row of each. */
  months() {
    const found = [];
    for (let start = 0; start < this.all.length;) {
      const month = this.all[start].order.slice(0, 7);
      const end = this.endOf(month);
      found.push({ month, start, count: end - start });
      start = end;
    }
    return found;
  }
}

/**
 * What rows are sorted by: day, moment, and of rows of one moment those that wait
 * before others, since they are the newest.
 */
export function orderOf(row) {
  const time = String((Date.parse(row.date) || 0) + 1e14).padStart(15, '0');
  return `${dayOfRow(row)} ${time} ${Number(isTemporary(row.id))} ${row.id}`;
}

function oneByOne(all, gone, come) {
  const rows = all.slice();
  gone.forEach((row) => rows.splice(firstBelow(rows, row.order) - 1, 1));
  come.forEach((row) => rows.splice(firstBelow(rows, row.order), 0, row));
  return rows;
}

function merged(all, gone, come) {
  const out = new Set(gone);
  const kept = all.filter((row) => !out.has(row));
  const added = [...come].sort(byOrder);
  const rows = [];
  let next = 0;
  for (const row of kept) {
    while (next < added.length && added[next].order > row.order) {
      rows.push(added[next++]);
    }
    rows.push(row);
  }
  return rows.concat(added.slice(next));
}

function byOrder(a, b) {
  return a.order < b.order ? 1 : -1;
}

// The index of the first row whose order is below text.
function firstBelow(rows, text) {
  let [from, to] = [0, rows.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (rows[middle].order < text) {
      to = middle;
    } else {
      from = middle + 1;
    }
  }
  return from;
}
