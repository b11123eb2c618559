import { fold } from './searchtext.js';
import { inSlices } from './slices.js';

/** How many suggestions there are at most. */
const most = 6;

/** A use of a description counts half as much after so many days. */
const halfLifeDays = 45;

const perDay = 86_400_000;

/**
 * What a typed description may become, from earlier entries.
 *
 * Entries count as the same if their descriptions differ in case and accents alone;
 * the newest one stands for all. Order: descriptions that begin with the text, then
 * those in which a later word does; among these the most used and most recent first.
 * Rows of others, which may have been shared by anybody, suggest nothing.
 */
export class Completion {
  #rows = null; // those that known was made from
  #known = [];

  /** The newest row of each suggested description; rows are newest first. For an empty text, of those most used. */
  of(text, rows, now = Date.now()) {
    if (rows !== this.#rows) {
      const uses = new Uses(now);
      uses.add(rows);
      this.#learn(rows, uses);
    }
    const typed = fold(text.trim()).replace(/\s+/g, ' ');
    const within = ` ${typed}`;
    const begins = first(this.#known, most, ({ key }) => key.startsWith(typed));
    const others = typed ? first(this.#known, most - begins.length, ({ key }) => !key.startsWith(typed) && key.includes(within)) : [];
    return [...begins, ...others].map(({ row }) => row);
  }

  /** Learns the rows beforehand, so that the first letter is answered at once. */
  prepare(rows) {
    const uses = new Uses(Date.now());
    if (rows !== this.#rows) {
      inSlices(rows, (some) => uses.add(some), () => this.#learn(rows, uses));
    }
  }

  #learn(rows, uses) {
    this.#rows = rows;
    this.#known = uses.sorted();
  }
}

/** Counts the uses of each description. */
class Uses {
  #now;
  #spellings = new Map(); // description to {key, row, use} of all its spellings
  #known = new Map(); // key to the same

  constructor(now) {
    this.#now = now;
  }

  // A spelling is folded once: there are fewer of them than rows.
  add(rows) {
    for (const row of rows) {
      if (!row.sharedBy && row.pending !== 'DELETE' && row.description) {
        this.#entryOf(row).use += useOf(row, this.#now);
      }
    }
  }

  /** Each description once, the most used first. */
  sorted() {
    return [...this.#known.values()].sort((a, b) => b.use - a.use);
  }

  #entryOf(row) {
    let entry = this.#spellings.get(row.description);
    if (!entry) {
      const key = fold(row.description).replace(/\s+/g, ' ');
      entry = this.#known.get(key) ?? { key, row, use: 0 };
      this.#spellings.set(row.description, entry);
      this.#known.set(key, entry);
    }
    return entry;
  }
}

/** The first so many of a list that pass a test. */
function first(list, count, test) {
  const found = [];
  for (let i = 0; i < list.length && found.length < count; i++) {
    test(list[i]) && found.push(list[i]);
  }
  return found;
}

function useOf({ date, day }, now) {
  const age = Math.max(0, now - Date.parse(date ?? day)) / perDay;
  return Number.isNaN(age) ? 0 : 2 ** (-age / halfLifeDays);
}
