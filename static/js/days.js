import { isolated } from './format.js';
import { text } from './text.js';

/**
 * Calendar days. Only this module turns times into days and days into text. Days
 * are strings, YYYY-MM-DD, which compare and sort as they are.
 *
 * They are days of the account's time zone, set by useZone; until it is known, of
 * the device's.
 */
const perDay = 86_400_000;
const gregorian = { calendar: 'gregory', timeZone: 'UTC' };

let zone = deviceZone();
let format = formatIn(zone);
let current = { minute: NaN, day: '' }; // the day of the minute that was asked for last

/** The time zone of this device, an IANA name. */
export function deviceZone() {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** The names of all time zones that the browser knows. */
export function timeZones() {
  return [...new Set([...Intl.supportedValuesOf('timeZone'), 'UTC'])].sort();
}

/** Sets the time zone of days; one that the browser does not know is ignored. */
export function useZone(name) {
  try {
    format = formatIn(name);
    zone = name;
    current = { minute: NaN, day: '' };
  } catch {
    // a zone that is newer than the browser
  }
}

function formatIn(timeZone) {
  return new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
}

/** The day of a time; '' if it is invalid, as in a parked operation it may be. */
export function dayOf(instant) {
  if (Number.isNaN(new Date(instant).getTime())) {
    return '';
  }
  const parts = Object.fromEntries(format.formatToParts(new Date(instant)).map((p) => [p.type, p.value]));
  return `${parts.year.padStart(4, '0')}-${parts.month}-${parts.day}`;
}

/** The day of a time that is asked for again and again; days begin with a minute. */
export function today(now = Date.now()) {
  const minute = Math.floor(now / 60_000);
  if (minute !== current.minute) {
    current = { minute, day: dayOf(now) };
  }
  return current.day;
}

/** The day of an expense: the server's, or of its date while the server does not have it. */
export function dayOfRow({ day, date }) {
  return day ?? (isDay(date) ? date : dayOf(date));
}

/** Reports whether text is a day as forms and the server write it. */
export function isDay(text) {
  return /^\d{4}-\d\d-\d\d$/.test(text);
}

/**
 * The fields by which an expense gets its day: the day, and as date the present time
 * if it is today.
 */
export function dated(day, now = new Date()) {
  return { date: day === today(now) ? now.toISOString() : day, day };
}

/** The day that is days later. */
export function shift(day, days) {
  return new Date(Date.parse(day) + days * perDay).toISOString().slice(0, 10);
}

/** A day as a heading: Today, Yesterday, or its date in words. */
export function dayTitle(day, now = new Date()) {
  const current = today(now);
  if (day === current) {
    return text('day.today');
  }
  if (day === shift(current, -1)) {
    return text('day.yesterday');
  }
  const year = day.slice(0, 4) === current.slice(0, 4) ? undefined : 'numeric';
  return inWords(day, { weekday: 'short', day: 'numeric', month: 'long', year });
}

/** The month of a day in words. */
export function monthName(day) {
  return inWords(day, { month: 'long' });
}

/**
 * A day or month in words, in the reader's language. It is of the Gregorian calendar
 * in every language, since sums and budgets use its months.
 */
export function inWords(day, options, locale = undefined) {
  return isolated(formatOf(locale, options).format(new Date(day)));
}

const formats = new Map();

/** A format, made once: making one takes longer than using it a hundred times. */
function formatOf(locale, options) {
  const key = JSON.stringify([locale, options]);
  if (!formats.has(key)) {
    formats.set(key, new Intl.DateTimeFormat(locale, { ...gregorian, ...options }));
  }
  return formats.get(key);
}

/** A range of days in words, the last one included. */
export function rangeInWords(from, to, options, locale = undefined) {
  return isolated(new Intl.DateTimeFormat(locale, { ...gregorian, ...options }).formatRange(new Date(from), new Date(to)));
}

/** A time in words: Today, 14:03. */
export function moment(instant, now = new Date()) {
  const time = new Date(instant).toLocaleTimeString(undefined, { timeStyle: 'short', timeZone: zone });
  return text('day.moment', { day: dayTitle(dayOf(instant), now), time });
}

/** Milliseconds between checks of the date. */
const checkInterval = 20_000;

/**
 * Calls changed whenever another day has begun, also one that began while the
 * device slept or by a change of the zone. Returns a function that stops it.
 */
export function onNewDay(changed) {
  let known = today();
  const check = () => {
    if (today() !== known) {
      known = today();
      changed();
    }
  };
  const timer = setInterval(check, checkInterval);
  document.addEventListener('visibilitychange', check);
  return () => {
    clearInterval(timer);
    document.removeEventListener('visibilitychange', check);
  };
}
