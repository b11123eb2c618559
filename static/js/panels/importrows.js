import { categoryName } from '../categories.js';
import { inWords } from '../days.js';
import { h } from '../dom.js';
import { micros, money } from '../numbers.js';
import { text } from '../text.js';

/** The rows of a preview, each with what becomes of it; a duplicate has a box to import it nevertheless. */
export function importRows(work) {
  return work.preview.rows.map((row) => h('li', { data: { status: row.status } },
    h('div', { class: 'what' },
      h('bdi', { class: 'description' }, row.description || text('importing.line', { line: row.line })),
      row.date ? h('span', { class: 'amount', data: { type: row.type } }, amountOf(row)) : null),
    h('div', { class: 'hint' }, detailOf(row)),
    row.reason ? h('div', { class: 'reason' }, h('bdi', {}, row.reason)) : null,
    row.status === 'duplicate' ? nevertheless(work, row) : null));
}

function amountOf({ amount, type, currency }) {
  return type === 'income' ? `+${money(micros(amount), currency)}` : money(-micros(amount), currency);
}

function detailOf({ date, category, line }) {
  const day = date && inWords(date, { day: 'numeric', month: 'short', year: 'numeric' });
  return [day, category && categoryName(category), text('importing.line', { line })].filter(Boolean).join(' · ');
}

function nevertheless(work, { line, description }) {
  const label = text('importing.nevertheless.which', { line, description });
  const box = h('input', {
    type: 'checkbox', checked: work.included.has(line), aria: { label }, on: { change: () => work.include(line, box.checked) },
  });
  return h('label', { class: 'nevertheless' }, box, text('importing.nevertheless'));
}
