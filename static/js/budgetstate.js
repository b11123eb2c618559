import { inUnits, share } from './bookdashboard.js';
import { dayOf, shift, today } from './days.js';
import { daysOfMonth } from './months.js';
import { micros } from './numbers.js';

/** The last of all days. */
const never = '9999-12-31';

/**
 * How a budget stands by the entries of the book, in the fields that the server tells
 * (GET /api/budgets). A budget counts all entries of its period, those of days to come
 * too, as its alerts do; `upcoming` is how much of it is of days to come, in millionths.
 */
export function budgetState(budget, sums, { home = '', now = Date.now() } = {}) {
  const day = today(now);
  const { from, to } = windowOf(budget, day);
  const { spent, others } = spending(sums.between(from, to, home), budget.category);
  const { spent: upcoming } = spending(sums.between(day < from ? from : shift(day, 1), to, home), budget.category);
  const amount = micros(budget.amount);
  return {
    ...budget, currency: home, isActive: isActiveOn(budget, day), spent: inUnits(spent), remaining: inUnits(amount - spent),
    percentage: share(spent, amount), isOverBudget: spent > amount, level: levelOf(spent, amount, budget.alertThreshold),
    periodStart: moment(from), periodEnd: moment(shift(to, 1)), byCurrency: others, upcoming,
  };
}

function spending(byCurrency, category) {
  const of = (sum) => (category === 'all' ? sum.spent : sum.categories.get(category)?.spent ?? 0n);
  const others = [...byCurrency].filter(([name, sum]) => name !== '' && of(sum) !== 0n)
    .map(([currency, sum]) => ({ currency, spent: inUnits(of(sum)) }));
  return { spent: byCurrency.has('') ? of(byCurrency.get('')) : 0n, others };
}

function levelOf(spent, amount, threshold) {
  if (spent > amount) {
    return 'exceeded';
  }
  return spent * 100n >= amount * BigInt(threshold) ? 'threshold' : 'none';
}

/**
 * The days that count on a day, both included: those of its period that lie between the
 * budget's first and last day. Before its first day it is the first period, after its
 * last the last one.
 */
export function windowOf(budget, day) {
  const { first, last } = lifeOf(budget);
  const { from, to } = periodOf(budget.period, clamp(day, first, last));
  return { from: from < first ? first : from, to: to > last ? last : to };
}

function isActiveOn(budget, day) {
  const { first, last } = lifeOf(budget);
  return clamp(day, first, last) === day;
}

function lifeOf({ startDate, endDate }) {
  return { first: startDate ? dayOfDate(startDate) : '', last: endDate ? dayOfDate(endDate) : never };
}

// A bare day is kept as midnight UTC; any other moment is of its day in the account's zone.
function dayOfDate(date) {
  return date.endsWith('T00:00:00.000Z') ? date.slice(0, 10) : dayOf(date);
}

function clamp(day, first, last) {
  return day < first ? first : day > last ? last : day;
}

/** The first and the last day of the period of a day. Weeks begin on Sunday. */
function periodOf(period, day) {
  switch (period) {
    case 'weekly': {
      const from = shift(day, -new Date(day).getUTCDay());
      return { from, to: shift(from, 6) };
    }
    case 'yearly': return { from: `${day.slice(0, 4)}-01-01`, to: `${day.slice(0, 4)}-12-31` };
    default: return daysOfMonth(day.slice(0, 7));
  }
}

function moment(day) {
  return `${day}T00:00:00.000Z`;
}
