import { inWords, shift, today } from './days.js';

/** Calendar months: strings, YYYY-MM, which compare and sort as they are. */

const first = '0001-01';
const last = '9999-12';

export function thisMonth(now = Date.now()) {
  return today(now).slice(0, 7);
}

/** Reports whether text is a month. */
export function isMonth(text) {
  return /^\d{4}-(0[1-9]|1[0-2])$/.test(text) && text >= first;
}

/** The month of a day. */
export function monthOf(day) {
  return day.slice(0, 7);
}

/** The month that is so many later, or, if negative, earlier; no further than the calendar of this page goes. */
export function monthsLater(month, months) {
  const [year, number] = month.split('-').map(Number);
  const index = year * 12 + number - 1 + months;
  const found = `${String(Math.floor(index / 12)).padStart(4, '0')}-${String((index % 12) + 1).padStart(2, '0')}`;
  return index < 12 ? first : index >= 120_000 ? last : found;
}

/** The first and the last day of a month. */
export function daysOfMonth(month) {
  const to = month === last ? '9999-12-31' : shift(`${monthsLater(month, 1)}-01`, -1);
  return { from: `${month}-01`, to };
}

/** A month in words, with its year. */
export function monthInWords(month, locale = undefined) {
  return inWords(`${month}-01`, { month: 'long', year: 'numeric' }, locale);
}
