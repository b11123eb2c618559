import { dashboardOf } from './bookdashboard.js';
import { shift, today } from './days.js';
import { daysOfMonth } from './months.js';

/** The ranges of days that can be chosen: [value, the key of its name]. */
export const ranges = [
  ['month', 'overview.month'],
  ['days', 'overview.last30'],
  ['year', 'overview.year'],
];

/** The first and the last day of a range, or of a month YYYY-MM, in the account's days. */
export function rangeOf(name, now = Date.now()) {
  const last = today(now);
  const [y, m] = last.split('-').map(Number);
  switch (name) {
    case 'days': return { from: shift(last, -29), to: last };
    case 'year': return { from: dayAt(y, 1, 1), to: dayAt(y, 12, 31) };
    case 'month': return { from: dayAt(y, m, 1), to: dayAt(y, m + 1, 0) };
    default: return daysOfMonth(name);
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
 * The dashboard of a range of days until today. While it is visible the server keeps it
 * up to date by events; while the server cannot be reached, or does not know yet what
 * was changed here, it is that of the book. Event: `change`.
 */
export class Dashboard extends EventTarget {
  #live;
  #queue;
  #expenseList;
  #home;
  #now;
  #visible = false;
  #subscribed = null; // the days of the last subscription
  #update = null; // the last update from the server on this connection
  #bookIsNewer = false; // whether changes were queued since

  /** The chosen range: one of ranges, or a month, YYYY-MM. */
  range = 'month';

  /** The currency of the figures; '' is the account's. */
  currency = '';

  /** @param {{live, queue, expenseList, home: () => string, now?: () => number}} options home gives the account's currency */
  constructor({ live, queue, expenseList, home, now = Date.now }) {
    super();
    this.#live = live;
    this.#queue = queue;
    this.#expenseList = expenseList;
    this.#home = home;
    this.#now = now;
    live.addEventListener('state', () => (this.#forget(), this.#subscribe()));
    live.listen('dashboard:update', (update) => this.#apply(update));
    queue.addEventListener('change', () => { this.#bookIsNewer ||= this.#waiting(); });
    expenseList.addEventListener('change', () => this.#visible && this.#fromBook() && this.#changed());
  }

  /**
   * What to show, as `dashboard:update` has it, with `to` the last day of the range and
   * `upcoming` the number of entries of days to come in it, 0 while that is not known; null if nothing is known.
   */
  get shown() {
    const days = rangeOf(this.range, this.#now());
    const { complete } = this.#expenseList;
    const sums = this.#expenseList.sums();
    const home = this.#home();
    if (this.#fromBook() && !complete) {
      return null;
    }
    const data = this.#fromBook() ? dashboardOf(sums, { ...this.#counted(days), home, currency: this.currency || home }) : this.#update;
    return { ...data, to: days.to, upcoming: this.#upcoming(days) };
  }

  #upcoming({ from, to }) {
    const first = max(from, shift(today(this.#now()), 1));
    return this.#expenseList.hasAllFrom(first) ? rowsBetween(this.#expenseList.sums(), first, to) : 0;
  }

  /** Subscribes or unsubscribes. */
  setVisible(visible) {
    if (visible === this.#visible) {
      return;
    }
    this.#visible = visible;
    if (visible) {
      this.#subscribe();
      this.#changed();
      return;
    }
    this.#forget();
    if (this.#live.connected) {
      this.#live.request('dashboard:unsubscribe').catch(() => {}); // a closed connection has no subscription
    }
  }

  /** Subscribes again: another day has begun, or the account's time zone has changed. */
  refresh() {
    this.#forget();
    this.#subscribe();
    this.#changed();
  }

  choose(range) {
    if (range !== this.range) {
      this.range = range;
      this.refresh();
    }
  }

  chooseCurrency(currency) {
    this.currency = currency === this.#home() ? '' : currency;
    this.#changed();
  }

  // Every new connection needs a subscription of its own. Of a range to come nothing counts yet.
  async #subscribe() {
    const days = this.#counted(rangeOf(this.range, this.#now()));
    if (!this.#visible || !this.#live.connected || days.from > days.to) {
      return;
    }
    this.#subscribed = days;
    const answer = await this.#live.request('dashboard:subscribe', days).catch(() => null);
    if (answer?.retryAfterMs) {
      setTimeout(() => this.#subscribe(), answer.retryAfterMs);
    }
  }

  // Updates for other days, or older than what is shown, are ignored.
  #apply(update) {
    if (update.from !== this.#subscribed?.from || update.to !== this.#subscribed.to) {
      return;
    }
    if (!this.#update || update.version >= this.#update.version) {
      this.#update = update;
      this.#bookIsNewer = this.#waiting();
      this.#changed();
    }
  }

  #counted({ from, to }) {
    const last = today(this.#now());
    return { from, to: to < last ? to : last };
  }

  #fromBook() {
    return !this.#update || (this.#expenseList.complete && (this.currency !== '' || this.#bookIsNewer || this.#waiting()));
  }

  #waiting() {
    return this.#queue.pending().length > 0;
  }

  #forget() {
    this.#subscribed = null;
    this.#update = null;
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

function rowsBetween(sums, from, to) {
  return [...sums.between(from, to).values()].reduce((all, { rows }) => all + rows, 0);
}

function max(a, b) {
  return a > b ? a : b;
}
