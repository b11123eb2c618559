import { budgetState } from './budgetstate.js';
import { soon } from './dom.js';
import { money, micros } from './numbers.js';
import { text } from './text.js';

/** Milliseconds after a change until the budgets are asked for: changes come in bursts. */
const pause = 200;

/** Milliseconds after a change of the book until they are evaluated again. */
const evaluationPause = 16;

const severity = { exceeded: 2, threshold: 1, none: 0 };

/**
 * The user's budgets and their present state: by the book if it is complete, so that
 * they are right without a server, else as the server told them last. They are read again
 * after every change that may affect them, one request at a time, so an older answer
 * never replaces a newer. What was read is kept for a start without a server.
 *
 * Events: `change`.
 */
export class Budgets extends EventTarget {
  #api;
  #expenseList;
  #home;
  #keep;
  #now;
  #told; // as the server told them last
  #running = false;
  #again = false;

  /** Whether they are known. */
  loaded = false;

  /** The most urgent first, then by name. */
  list = [];

  /** Reads them again soon. */
  refreshSoon = soon(() => this.refresh(), pause);

  /** @param {{api, expenseList, home?: () => string, keep?: {get, set}, now?: () => number}} options keep stores them */
  constructor({ api, expenseList, home = () => '', keep = { get: () => null, set() {} }, now = Date.now }) {
    super();
    this.loaded = keep.get() !== null;
    this.#api = api;
    this.#expenseList = expenseList;
    this.#home = home;
    this.#keep = keep;
    this.#now = now;
    this.#told = keep.get() ?? [];
    expenseList.addEventListener('change', soon(() => this.#evaluate(), evaluationPause));
    this.#evaluate();
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
    this.#setTold(this.#told.filter((b) => b._id !== budget._id));
  }

  // Without an answer the present list stays; the next change or connection reads again.
  async #read() {
    const list = await this.#api.budgets().catch(() => null);
    if (list) {
      this.loaded = true;
      this.#setTold(list);
    }
  }

  #setTold(list) {
    this.#told = list;
    this.#keep.set(list);
    this.#evaluate();
  }

  #evaluate() {
    const { complete } = this.#expenseList;
    const options = { home: this.#home(), now: this.#now() };
    this.list = this.#told.map((b) => (complete ? budgetState(b, this.#expenseList.sums(), options) : b)).sort(mostUrgentFirst);
    this.dispatchEvent(new Event('change'));
  }
}

function mostUrgentFirst(a, b) {
  return Number(b.isActive) - Number(a.isActive) || severity[b.level] - severity[a.level]
    || a.name.localeCompare(b.name) || (a._id < b._id ? -1 : 1);
}

/**
 * The fields of a budget that a person chose, as a new or changed one is sent.
 */
export function budgetDraft({ name, category, amount, period, startDate, endDate, alertThreshold }) {
  return { name, category, amount, period, startDate, endDate, alertThreshold };
}

/** A budget's state in words: {state, rest}. */
export function budgetStatus(budget, currency = '') {
  const left = micros(budget.remaining);
  const amount = money(left < 0n ? -left : left, currency);
  if (!budget.isActive) {
    return { state: text('budget.idle'), rest: text('budget.spent', { amount: money(micros(budget.spent), currency) }) };
  }
  switch (budget.level) {
    case 'exceeded': return { state: text('budget.over'), rest: text('budget.overby', { amount }) };
    case 'threshold': return { state: text(left === 0n ? 'budget.usedup' : 'budget.near'), rest: text('budget.left', { amount }) };
    default: return { state: text('budget.fine'), rest: text('budget.left', { amount }) };
  }
}

/** The text of an alert. */
export function alertText(alert, currency = '') {
  return text('budget.alert', { state: text(alert.isOverBudget ? 'budget.over' : 'budget.near'), figures: alertFigures(alert, currency) });
}

/** How much of which budget is spent. */
export function alertFigures({ budgetName, spent, amount }, currency = '') {
  return text('budget.alertfigures', { name: budgetName, figures: spentOf({ spent, amount }, currency) });
}

/** What is spent of the amount of a budget. */
export function spentOf({ spent, amount }, currency = '') {
  return text('budget.spentof', { spent: money(micros(spent), currency), amount: money(micros(amount), currency) });
}

/** A percentage as text, rounded; 100 % only if it is exactly 100. */
export function percent(value) {
  const whole = Math.round(value);
  const honest = whole === 100 && value !== 100 ? (value < 100 ? 99 : 101) : whole;
  return text('figure.percent', { value: honest });
}

/**
 * Positions in a budget's bar, in percent of its length: {used, over, warn, full}.
 * The bar is longer than the amount, so that overspending shows; twice the amount
 * fills it.
 */
export function gauge({ percentage, alertThreshold }) {
  const whole = Math.min(200, Math.max(120, percentage));
  const at = (value) => (Math.min(whole, Math.max(0, value)) / whole) * 100;
  return { used: at(Math.min(100, percentage)), over: at(percentage) - at(Math.min(100, percentage)), warn: at(alertThreshold), full: at(100) };
}
