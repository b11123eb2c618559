import { shift, today } from './days.js';

/** The spans of days that can be looked at, by the name under which they are kept. */
export const ranges = [
  ['month', 'This month'],
  ['previous', 'Last month'],
  ['days', 'Last 30 days'],
  ['year', 'This year'],
];

/** The first and the last day of a range, in the account's days. */
export function rangeOf(name, now = Date.now()) {
  const last = today(now);
  const [y, m] = last.split('-').map(Number);
  switch (name) {
    case 'previous': return { from: dayAt(y, m - 1, 1), to: dayAt(y, m, 0) };
    case 'days': return { from: shift(last, -29), to: last };
    case 'year': return { from: dayAt(y, 1, 1), to: dayAt(y, 12, 31) };
    default: return { from: dayAt(y, m, 1), to: dayAt(y, m + 1, 0) };
  }
}

/** The day of a year, a month from 1 and a day; the day 0 is the last of the month before. */
function dayAt(year, month, day) {
  return new Date(Date.UTC(year, month - 1, day)).toISOString().slice(0, 10);
}

/** How many bars still tell the days apart; more become months. */
const mostDays = 62;

/**
 * What each day from from to to brought, those without entries too, as {key,
 * income, expense}; of a long span what each month did. The key is YYYY-MM-DD,
 * or YYYY-MM.
 */
export function points({ from, to, series }) {
  const known = new Map(series.map((p) => [p.date, p]));
  const days = [];
  for (let key = from; key <= to; key = shift(key, 1)) {
    const { income = 0, expense = 0 } = known.get(key) ?? {};
    days.push({ key, income, expense });
  }
  return days.length > mostDays ? months(days) : days;
}

function months(days) {
  const sums = new Map();
  for (const { key, income, expense } of days) {
    const month = key.slice(0, 7);
    const sum = sums.get(month) ?? { key: month, income: 0, expense: 0 };
    sums.set(month, { key: month, income: tidy(sum.income + income), expense: tidy(sum.expense + expense) });
  }
  return [...sums.values()];
}

// Sums of numbers with six decimals, without what their addition leaves behind.
function tidy(value) {
  return Math.round(value * 1e6) / 1e6;
}

/**
 * The figures of a range of days, kept up to date by the server while somebody
 * looks at them. Event: `change`.
 */
export class Dashboard extends EventTarget {
  #live;
  #now;
  #looking = false;
  #asked = null; // the days that were asked for last

  /** Which of ranges is looked at. */
  range = 'month';

  /** What the server said last of it, or null. */
  shown = null;

  constructor({ live, now = Date.now }) {
    super();
    this.#live = live;
    this.#now = now;
    live.addEventListener('state', () => this.#ask());
    live.listen('dashboard:update', (update) => this.#take(update));
  }

  /** Starts or stops to follow the figures. */
  look(looking) {
    if (looking === this.#looking) {
      return;
    }
    this.#looking = looking;
    if (looking) {
      this.#ask();
    } else if (this.#live.connected) {
      this.#live.ask('dashboard:unsubscribe').catch(() => {}); // a connection that has gone follows nothing
    }
  }

  /** Asks for the days anew: another day has begun, or the account counts others. */
  refresh() {
    this.#ask();
  }

  choose(range) {
    this.range = range;
    this.shown = null;
    this.#ask();
    this.#changed();
  }

  // Asked anew with every connection: a new one knows nothing of the last.
  async #ask() {
    if (!this.#looking || !this.#live.connected) {
      return;
    }
    this.#asked = rangeOf(this.range, this.#now());
    const answer = await this.#live.ask('dashboard:subscribe', this.#asked).catch(() => null);
    if (answer?.retryAfterMs) {
      setTimeout(() => this.#ask(), answer.retryAfterMs);
    }
  }

  // What was under way for other days, or is older than what is shown, is late.
  #take(update) {
    if (update.from !== this.#asked?.from || update.to !== this.#asked.to) {
      return;
    }
    const shown = this.shown;
    if (!shown || shown.from !== update.from || shown.to !== update.to || update.version >= shown.version) {
      this.shown = update;
      this.#changed();
    }
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
