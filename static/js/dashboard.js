import { shift, today } from './days.js';

/** The ranges of days that can be chosen: [value, label]. */
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

/** Up to so many days there is a bar per day, beyond that one per month. */
const mostDays = 62;

/**
 * Income and expense of each day of a range, days without entries included, or of
 * each month if the range is long: {key, income, expense}. The key is YYYY-MM-DD
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
    sums.set(month, { key: month, income: roundToMicros(sum.income + income), expense: roundToMicros(sum.expense + expense) });
  }
  return [...sums.values()];
}

// Removes the rounding error of adding numbers with six decimals.
function roundToMicros(value) {
  return Math.round(value * 1e6) / 1e6;
}

/**
 * The dashboard of a range of days. While it is visible the server keeps it up to
 * date by events. Event: `change`.
 */
export class Dashboard extends EventTarget {
  #live;
  #now;
  #visible = false;
  #subscribed = null; // the days of the last subscription

  /** The chosen range. */
  range = 'month';

  /** The last update from the server, or null. */
  shown = null;

  constructor({ live, now = Date.now }) {
    super();
    this.#live = live;
    this.#now = now;
    live.addEventListener('state', () => this.#subscribe());
    live.listen('dashboard:update', (update) => this.#apply(update));
  }

  /** Subscribes or unsubscribes. */
  setVisible(visible) {
    if (visible === this.#visible) {
      return;
    }
    this.#visible = visible;
    if (visible) {
      this.#subscribe();
    } else if (this.#live.connected) {
      this.#live.request('dashboard:unsubscribe').catch(() => {}); // a closed connection has no subscription
    }
  }

  /** Subscribes again: another day has begun, or the account's time zone has changed. */
  refresh() {
    this.#subscribe();
  }

  choose(range) {
    this.range = range;
    this.shown = null;
    this.#subscribe();
    this.#changed();
  }

  // Every new connection needs a subscription of its own.
  async #subscribe() {
    if (!this.#visible || !this.#live.connected) {
      return;
    }
    this.#subscribed = rangeOf(this.range, this.#now());
    const answer = await this.#live.request('dashboard:subscribe', this.#subscribed).catch(() => null);
    if (answer?.retryAfterMs) {
      setTimeout(() => this.#subscribe(), answer.retryAfterMs);
    }
  }

  // Updates for other days, or older than what is shown, are ignored.
  #apply(update) {
    if (update.from !== this.#subscribed?.from || update.to !== this.#subscribed.to) {
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
