import { soon } from './dom.js';
import { money, micros } from './numbers.js';

/** Milliseconds after a change until the budgets are asked for: changes come in flocks. */
const pause = 200;

const severity = { exceeded: 2, threshold: 1, none: 0 };

/**
 * The user's budgets and how they stand. The server alone knows: it counts what
 * this page may not have. So they are read anew after whatever may have moved
 * them, one reading after the other, and never an older over a newer one.
 *
 * Events: `change`.
 */
export class Budgets extends EventTarget {
  #api;
  #running = false;
  #again = false;

  /** Whether they were loaded since the page was opened. */
  loaded = false;

  /** The most pressing first, then by name. */
  list = [];

  /** Reads them anew soon. */
  refreshSoon = soon(() => this.refresh(), pause);

  constructor(api) {
    super();
    this.#api = api;
  }

  async refresh() {
    this.#again = true;
    if (this.#running) {
      return;
    }
    this.#running = true;
    while (this.#again) {
      this.#again = false;
      await this.#read();
    }
    this.#running = false;
  }

  /** How many are used up to their threshold or beyond. */
  get alerts() {
    return this.list.filter((b) => b.isActive && b.level !== 'none').length;
  }

  async create(draft, key) {
    const budget = await this.#api.createBudget(draft, key);
    this.refreshSoon();
    return budget;
  }

  async update(budget, fields) {
    await this.#api.updateBudget(budget._id, { ...fields, version: budget.version });
    this.refreshSoon();
  }

  async remove(budget) {
    await this.#api.deleteBudget(budget._id);
    this.list = this.list.filter((b) => b._id !== budget._id);
    this.#changed();
  }

  // Without an answer the last one stays; the next change or connection asks again.
  async #read() {
    const list = await this.#api.budgets().catch(() => null);
    if (list) {
      this.list = list.sort(pressingFirst);
      this.loaded = true;
      this.#changed();
    }
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

function pressingFirst(a, b) {
  return Number(b.isActive) - Number(a.isActive) || severity[b.level] - severity[a.level]
    || a.name.localeCompare(b.name) || (a._id < b._id ? -1 : 1);
}

/**
 * The fields of a budget that a person chose, as a new or changed one is sent.
 */
export function budgetDraft({ name, category, amount, period, startDate, endDate, alertThreshold }) {
  return { name, category, amount, period, startDate, endDate, alertThreshold };
}

/** How a budget stands, in words: {state, rest}. */
export function standing(budget, currency = '') {
  const left = micros(budget.remaining);
  const text = money(left < 0n ? -left : left, currency);
  if (!budget.isActive) {
    return { state: 'Not running', rest: `${money(micros(budget.spent), currency)} spent` };
  }
  switch (budget.level) {
    case 'exceeded': return { state: 'Over budget', rest: `by ${text}` };
    case 'threshold': return { state: left === 0n ? 'Used up' : 'Nearly used up', rest: `${text} left` };
    default: return { state: 'On track', rest: `${text} left` };
  }
}

/** What an alert says: that a budget is gone, or soon will be. */
export function alertText(alert, currency = '') {
  return `${alert.isOverBudget ? 'Over budget' : 'Nearly used up'}: ${alertFigures(alert, currency)}.`;
}

/** How much of which budget is gone. */
export function alertFigures({ budgetName, spent, amount }, currency = '') {
  return `${budgetName}, ${money(micros(spent), currency)} of ${money(micros(amount), currency)}`;
}

/** A share in percent as text: never 100 % of what is not all of it, nor of more. */
export function percent(value) {
  const whole = Math.round(value);
  const honest = whole === 100 && value !== 100 ? (value < 100 ? 99 : 101) : whole;
  return `${new Intl.NumberFormat().format(honest)} %`;
}

/**
 * Where the parts of a budget's bar stand, in percent of its length: {used,
 * over, warn, full}. There is room behind the amount, so that what is over it
 * shows; twice the amount and more fill the bar.
 */
export function gauge({ percentage, alertThreshold }) {
  const whole = Math.min(200, Math.max(120, percentage));
  const at = (value) => (Math.min(whole, Math.max(0, value)) / whole) * 100;
  return { used: at(Math.min(100, percentage)), over: at(percentage) - at(Math.min(100, percentage)), warn: at(alertThreshold), full: at(100) };
}
