import { allMonths, noFilter } from './address.js';
import { dayOfRow, today } from './days.js';
import { daysOfMonth, isMonth, monthOf, thisMonth } from './months.js';
import { micros } from './numbers.js';
import { isForeign } from './permissions.js';
import { textOfRow, wordsOf } from './searchtext.js';

/** The value of the filter `person` for entries that nobody else shares. */
export const me = 'me';

/** Which filters of a place are in use, by name; days count once. */
export function filtersOf(place) {
  return Object.keys(noFilter).filter((name) => place[name] && !(name === 'to' && place.from));
}

/**
 * The days that a place shows, the last one included; '' is no bound. Days that were
 * chosen go before the month. The present month goes on with all that is entered
 * for later.
 */
export function daysOfPlace({ month, from, to }, now = Date.now()) {
  if (from || to) {
    return { from, to };
  }
  if (month === allMonths) {
    return { from: '', to: '' };
  }
  const days = daysOfMonth(month || thisMonth(now));
  return { from: days.from, to: month === '' || month === thisMonth(now) ? '' : days.to };
}

/** The filter that finds the entries of some days: of a month, YYYY-MM, or from one day to another. */
export function filterOfDays(from, to = from) {
  if (isMonth(from)) {
    return { month: from };
  }
  const month = monthOf(from);
  const whole = daysOfMonth(month);
  return from === whole.from && to === whole.to ? { month } : { month, from, to };
}

/** The rows of a place, out of rows that are sorted by day, the newest first. */
export function rowsOfPlace(rows, place, now = Date.now()) {
  const { from, to } = daysOfPlace(place, now);
  const start = to ? firstIndex(rows, (day) => day <= to) : 0;
  const end = from ? firstIndex(rows, (day) => day < from) : rows.length;
  const shown = start === 0 && end === rows.length ? rows : rows.slice(start, end);
  const tests = testsOf(place);
  return tests.length === 0 ? shown : shown.filter((row) => tests.every((test) => test(row)));
}

/** Splits rows, sorted by day, the newest first: those of days to come, the soonest first, and the others. */
export function splitUpcoming(rows, now = Date.now()) {
  const current = today(now);
  const at = firstIndex(rows, (day) => day <= current);
  return { upcoming: rows.slice(0, at).reverse(), past: at === 0 ? rows : rows.slice(at) };
}

/** The index of the first row whose day passes the test; all rows after it pass too. */
function firstIndex(rows, test) {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(dayOfRow(rows[middle]))) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

function testsOf({ q, kind, category, min, max, person, device }) {
  const words = wordsOf(q);
  const [least, most] = [min && micros(min), max && micros(max)];
  return [
    kind && ((row) => (row.type === 'income' ? 'income' : 'expense') === kind),
    category && ((row) => row.category === category),
    person && ((row) => (isForeign(row) ? row.sharedBy.id : me) === person),
    device && ((row) => row.device === device),
    words.length > 0 && ((row) => hasAll(textOfRow(row), words)),
    (min || max) && ((row) => isBetween(micros(row.amount), least, most)),
  ].filter(Boolean);
}

function hasAll(text, words) {
  return words.every((word) => text.includes(word));
}

function isBetween(amount, least, most) {
  return (least === '' || amount >= least) && (most === '' || amount <= most);
}

/** Who shares entries of these rows with this person: {id, name}, by name. */
export function peopleOf(rows) {
  const people = new Map();
  for (const row of rows) {
    if (isForeign(row)) {
      people.set(row.sharedBy.id, row.sharedBy);
    }
  }
  return [...people.values()].sort((a, b) => a.name.localeCompare(b.name));
}

/** The devices that are known to have made one of these rows. */
export function devicesOf(rows) {
  return [...new Set(rows.map((row) => row.device).filter(Boolean))];
}

/** The months in which there are rows, the newest first; rows are sorted by day, the newest first. */
export function monthsOf(rows) {
  const months = [];
  for (let at = 0; at < rows.length;) {
    const month = dayOfRow(rows[at]).slice(0, 7);
    months.push(month);
    at = Math.max(at + 1, firstIndex(rows, (day) => day < month));
  }
  return months;
}
