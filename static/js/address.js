import { isDay } from './days.js';
import { isMonth } from './months.js';

/** The views of the page, by their name in the address; the first one is shown at first. */
export const viewNames = ['entries', 'overview'];

/** A month that stands for all of them. */
export const allMonths = 'all';

const short = (text) => text.trim() !== '' && text.length <= 256;
const amount = (text) => /^(0|[1-9]\d{0,12})(\.\d{1,6})?$/.test(text);
const oneOf = (...values) => (text) => values.includes(text);

/**
 * What an address may say beside the view, each with its test. Nothing is said of
 * what is `''`:
 *
 *  - `month`: the month that is shown, or `all`; `''` is the present one, whichever it is
 *  - `q`: the words searched for; `#tag` finds a tag
 *  - `kind`, `category`; `min` and `max`: amounts; `from` and `to`: days, the last one included
 *  - `person`: the id of the user who shares an entry, or `me`; `device`: which device made it
 */
const parts = {
  month: (text) => text === allMonths || isMonth(text),
  q: short,
  kind: oneOf('expense', 'income'),
  category: short,
  min: amount,
  max: amount,
  from: isRealDay,
  to: isRealDay,
  person: short,
  device: short,
};

const names = Object.keys(parts);

/** The parts of a place that choose entries by something else than their month, all empty. */
export const noFilter = Object.fromEntries(names.filter((name) => name !== 'month').map((name) => [name, '']));

/** The place of a view at first: the present month, nothing searched for. */
export function placeOf(view) {
  return { view, month: '', ...noFilter };
}

/**
 * The place that the fragment of an address names, such as
 * `#entries?month=2026-11&q=coffee`, or null if it names no view. What it says
 * wrongly counts as not said.
 */
export function readAddress(hash) {
  const [view, query = ''] = cut(hash.replace(/^#/, ''), '?');
  if (!viewNames.includes(view)) {
    return null;
  }
  const said = new URLSearchParams(query);
  const known = names.filter((name) => parts[name](said.get(name) ?? ''));
  return { ...placeOf(view), ...Object.fromEntries(known.map((name) => [name, said.get(name)])) };
}

/** The fragment of a place's address, which readAddress turns into the same place. */
export function writeAddress(place) {
  const said = new URLSearchParams(names.filter((name) => place[name]).map((name) => [name, place[name]]));
  return `#${place.view}${said.size > 0 ? `?${said}` : ''}`;
}

function cut(text, sign) {
  const at = text.indexOf(sign);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function isRealDay(text) {
  const time = isDay(text) ? Date.parse(`${text}T00:00:00Z`) : NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}
