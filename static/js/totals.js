import { DaySums } from './daysums.js';
import { today } from './days.js';
import { chosenCurrency, micros } from './numbers.js';
import { defaultCurrency } from './settings.js';

/** The first and the last of all days. */
const [firstDay, lastDay] = ['', '~'];

/**
 * What an account has, per currency, in millionths: entries of days to come do not
 * count until their day.
 *
 * A sum is {currency, isHome, rows, income, spent, balance, categories}. home is the
 * account's currency, in which entries without one are; its sum comes first, then the
 * most used one. `currency` is what to show beside it: '' for a home currency that
 * neither an entry names nor a person chose. Sums of different currencies are never
 * added.
 */
export function balanceOf(sums, { home = '', now = Date.now() } = {}) {
  return inAccount(sums.between(firstDay, today(now), home), home);
}

/** What is entered for days to come. */
export function upcoming(sums, { home = '', now = Date.now() } = {}) {
  return inAccount(sums.between(after(today(now)), lastDay, home), home);
}

/** What a month, YYYY-MM, amounts to until today. */
export function monthTotals(sums, month, { home = '', now = Date.now() } = {}) {
  const day = today(now);
  const end = `${month}-31`;
  return inAccount(sums.between(`${month}-01`, day < end ? day : end, home), home);
}

/** What all entries amount to, those of days to come too. */
export function everything(sums, home = '') {
  return inAccount(sums.between(firstDay, lastDay, home), home);
}

/** What a day or any other group of rows adds up to, per currency: {currency, balance}. */
export function net(rows, home) {
  return everything(DaySums.of(rows), home).map(({ currency, balance }) => ({ currency, balance }));
}

/** The amount of a row, negative for an expense. */
export function signed(row) {
  return row.type === 'income' ? micros(row.amount) : -micros(row.amount);
}

/** What to show beside amounts in the account's currency if no entry names it: '' if nobody has chosen it. */
export function shownHome(home) {
  return home === defaultCurrency ? chosenCurrency() : home;
}

// Sums by currency, in which '' is the account's, as a list.
function inAccount(byCurrency, home) {
  return [...byCurrency].map(([name, sum]) => account(name, sum, home)).sort((a, b) => b.isHome - a.isHome || b.rows - a.rows);
}

function account(name, { named, ...sum }, home) {
  const isHome = name === '';
  const own = named ? home : shownHome(home);
  return { ...sum, currency: isHome ? own : name, isHome, balance: sum.income - sum.spent };
}

// The first text behind a day: what is greater is a later day.
function after(day) {
  return `${day}~`;
}
