import { categoryName } from '../categories.js';
import { inWords } from '../days.js';
import { h } from '../dom.js';
import { isolated } from '../format.js';
import { micros, money } from '../numbers.js';
import { text } from '../text.js';

/** The rows of a preview, each with what becomes of it; a duplicate has a box to import it nevertheless. */
export function importRows(work) {
  return work.preview.rows.map((row) => h('li', { data: { status: row.status } },
    h('div', { class: 'what' },
      h('bdi', { class: 'description' }, row.description || placeOf(row)),
      row.date ? h('span', { class: 'amount', data: { type: row.type } }, amountOf(row)) : null),
    h('div', { class: 'hint' }, detailOf(row)),
    row.reason ? h('div', { class: 'reason' }, h('bdi', {}, row.reason)) : null,
    row.status === 'duplicate' ? nevertheless(work, row) : null));
}

/** Where a row is: its line, or in an export its place among those of its kind. */
function placeOf({ line, section, number }) {
  return section ? text('importing.place', { section, number }) : text('importing.line', { line });
}

function amountOf({ amount, type, currency }) {
  return type === 'income' ? `+${money(micros(amount), currency)}` : money(-micros(amount), currency);
}

// That no category was found is not said of each row. Values are isolated from the direction of the text around them.
function detailOf({ date, category, merchant, notes, description, line }) {
  const day = date && inWords(date, { day: 'numeric', month: 'short', year: 'numeric' });
  const said = [merchant, notes].filter((each) => each && each !== description).map(isolated);
  return [day, category && category !== 'other' && categoryName(category), ...said, line && placeOf({ line })].filter(Boolean).join(' · ');
}

function nevertheless(work, { line, description }) {
  const label = text('importing.nevertheless.which', { line, description });
  const box = h('input', {
    type: 'checkbox', checked: work.included.has(line), aria: { label }, on: { change: () => work.include(line, box.checked) },
  });
  return h('label', { class: 'nevertheless' }, box, text('importing.nevertheless'));
}
