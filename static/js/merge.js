import { dayOfRow } from './days.js';
import { micros } from './numbers.js';

/**
 * The fields of an entry that are decided on together, in the order of the form: an amount
 * means nothing without its currency, and a date is the time of its day.
 */
const groups = [['description'], ['amount', 'currency'], ['type'], ['category'], ['date', 'day'], ['merchant'], ['notes'], ['tags']];

/**
 * The differences between what this person changed and what is stored now, as decisions.
 *
 *  - base is the entry that both began with, or null if it is not known any more;
 *    patch the fields that this person sent; theirs the stored entry.
 *  - A field that one side alone changed is decided for that side.
 *  - A field that both changed to different values is open (choice null), and so is one
 *    that this person sent when base is not known.
 *  - Equal values are no difference, however they are written.
 *
 * @returns {{name: string, fields: string[], mine: object, theirs: object, byMe: boolean, open: boolean, choice: 'mine' | 'theirs' | null}[]}
 */
export function decisions({ base, patch, theirs }) {
  const mine = { ...(base ?? theirs), ...patch };
  if (patch.date && !patch.day) {
    delete mine.day; // the server derives it from the date
  }
  return groups.filter((fields) => differ(fields, mine, theirs)).map((fields) => {
    const sent = fields.some((field) => field in patch);
    const byMe = base ? differ(fields, mine, base) : sent;
    const byThem = base ? differ(fields, theirs, base) : true;
    const open = byMe && byThem;
    return { name: fields[0], fields, mine: part(mine, fields), theirs: part(theirs, fields), byMe, open, choice: open ? null : byMe ? 'mine' : 'theirs' };
  });
}

/** The fields to send for the choices, by name of decision; of theirs nothing has to be sent. */
export function merged(all, choices) {
  const sent = all.filter(({ name, choice }) => (choices[name] ?? choice) === 'mine');
  return Object.assign({}, ...sent.map(asPatch));
}

/** The fields to send so that the entry gets every value of this person. */
export function mineOnly(all) {
  return Object.assign({}, ...all.map(asPatch));
}

/** The first decision that is open and has no choice yet, or undefined. */
export function undecided(all, choices) {
  return all.find(({ name, open }) => open && !choices[name]);
}

function asPatch({ fields, mine }) {
  const set = fields.filter((field) => field !== 'day' || mine.day);
  return Object.fromEntries(set.map((field) => [field, mine[field] ?? (field === 'tags' ? [] : '')]));
}

function part(entry, fields) {
  return Object.fromEntries(fields.map((field) => [field, entry[field]]));
}

function differ(fields, a, b) {
  return fields.some((field) => comparable(field, a) !== comparable(field, b));
}

// Of a date only its day counts for people; unset and empty are the same.
function comparable(field, entry) {
  const value = entry[field] ?? '';
  switch (field) {
    case 'amount': return Number.isFinite(value) ? String(micros(value)) : String(value);
    case 'date': return '';
    case 'day': return entry.day || entry.date ? dayOfRow({ day: entry.day || undefined, date: entry.date }) : '';
    default: return Array.isArray(value) ? value.join('\n') : String(value);
  }
}
