import { everything } from './totals.js';

/** Milliseconds after the server has told a balance until the book is compared with it: its events may still come. */
const patience = 5_000;

/** Milliseconds between two times that everything is read anew. */
const betweenRepairs = 600_000;

/**
 * Compares the book with each balance that the server tells. If they differ although
 * everything has arrived, everything is read anew: figures of the page rest on the
 * book, and must be right even if the page has a fault.
 */
export class BookCheck {
  #parts;
  #timer = null;
  #repairedAt = -Infinity;

  /** @param {{balance, expenseList, queue, live, sync, timers?, now?: () => number}} parts */
  constructor({ timers = globalThis, now = Date.now, ...parts }) {
    this.#parts = { timers, now, ...parts };
    parts.live.listen('account:balance', () => this.#soon());
  }

  stop() {
    this.#parts.timers.clearTimeout(this.#timer);
  }

  #soon() {
    this.stop();
    this.#timer = this.#parts.timers.setTimeout(() => this.#check(), patience);
  }

  #check() {
    const { balance, expenseList, queue, live, sync, now } = this.#parts;
    const isQuiet = live.connected && expenseList.loaded && !sync.busy && queue.pending().length === 0;
    if (isQuiet && now() - this.#repairedAt > betweenRepairs && !agrees(expenseList.sums(), balance.told)) {
      this.#repairedAt = now();
      expenseList.distrust();
      sync.refresh();
    }
  }
}

/** Whether the sums of a book are a balance that the server told. */
export function agrees(sums, { income, expense, currency, byCurrency }) {
  const told = new Map(byCurrency.map((c) => [c.currency, c]));
  const own = { income, expense };
  const known = everything(sums, currency);
  const other = known.filter((s) => !s.isHome);
  const home = known.find((s) => s.isHome) ?? { income: 0n, spent: 0n };
  return isSame(home, own) && other.length === told.size && other.every((s) => told.has(s.currency) && isSame(s, told.get(s.currency)));
}

function isSame({ income, spent }, told) {
  return near(Number(income) / 1e6, told.income) && near(Number(spent) / 1e6, told.expense);
}

// The largest sums have more digits than a JSON number.
function near(a, b) {
  return Math.abs(a - b) <= Math.max(5e-7, Math.abs(a) * 1e-12);
}
