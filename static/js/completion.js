import { fold } from './searchtext.js';

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
      this.#rows = rows;
      this.#known = byUse(rows, now);
    }
    const typed = fold(text.trim()).replace(/\s+/g, ' ');
    const begins = this.#known.filter(({ key }) => key.startsWith(typed));
    const within = typed ? this.#known.filter(({ key }) => !key.startsWith(typed) && key.includes(` ${typed}`)) : [];
    return [...begins, ...within].slice(0, most).map(({ row }) => row);
  }
}

// Each description once: {key, row, use}, the most used first. Spellings are counted before
// they are folded: there are fewer of them than rows.
function byUse(rows, now) {
  const spellings = new Map();
  for (const row of rows) {
    if (!row.sharedBy && row.pending !== 'DELETE' && row.description) {
      const entry = spellings.get(row.description);
      entry ? entry.use += useOf(row, now) : spellings.set(row.description, { row, use: useOf(row, now) });
    }
  }
  const known = new Map();
  for (const { row, use } of spellings.values()) {
    const key = fold(row.description).replace(/\s+/g, ' ');
    const entry = known.get(key);
    entry ? entry.use += use : known.set(key, { key, row, use });
  }
  return [...known.values()].sort((a, b) => b.use - a.use);
}

function useOf({ date, day }, now) {
  const age = Math.max(0, now - Date.parse(date ?? day)) / perDay;
  return Number.isNaN(age) ? 0 : 2 ** (-age / halfLifeDays);
}
