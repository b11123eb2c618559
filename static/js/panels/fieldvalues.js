import { categoryName } from '../categories.js';
import { dayOfRow, inWords, moment } from '../days.js';
import { h } from '../dom.js';
import { isolated } from '../format.js';
import { micros, money } from '../numbers.js';
import { text } from '../text.js';

/**
 * The value of a field of an entry as an element, as people read it: an amount with its
 * currency, a date as its day. What a person typed is isolated from its surroundings.
 */
export function fieldValue(field, entry) {
  const shown = valueText(field, entry);
  return shown === '' ? h('i', { class: 'unset' }, text('history.empty')) : h('bdi', {}, shown);
}

function valueText(field, entry) {
  const value = entry[field] ?? '';
  switch (field) {
    case 'amount': return Number.isFinite(value) ? money(micros(value), entry.currency ?? '') : String(value);
    case 'date': return dateText(entry);
    case 'category': return categoryName(value);
    case 'sharedWith': return value && (value.map(memberText).join(', ') || text('history.nobody'));
    case 'tags': return Array.isArray(value) ? value.join(', ') : String(value);
    case 'type': case 'role': return value && text(`field.${value}`);
    default: return String(value);
  }
}

function memberText({ name, role }) {
  return `${isolated(name ?? text('history.left'))} (${text(`field.${role}`)})`;
}

// A change of the time alone shows the time.
function dateText({ day, date }) {
  const known = dayOfRow({ day: day || undefined, date });
  if (!day && date?.length > 10) {
    return moment(date);
  }
  return known ? inWords(known, { weekday: 'short', day: 'numeric', month: 'long', year: 'numeric' }) : String(date ?? '');
}

export function fieldName(field) {
  return text(`field.${field}`);
}
