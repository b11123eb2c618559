import { categoryName } from '../categories.js';
import { h, icon, iconButton, setText } from '../dom.js';
import { isForeign, mayEdit, mayRemove } from '../permissions.js';
import { micros, money } from '../numbers.js';
import { isTemporary } from '../queue.js';

const waitingWords = { CREATE: 'Waiting', UPDATE: 'Change waiting', DELETE: 'Deletion waiting' };

/**
 * The element of an entry in the list. It is kept while the entry is shown, so that
 * the focus stays; its handlers act on the row as it was shown last.
 */
export function rowElement(key, { edit, people, remove }) {
  let shown;
  const badge = h('span', { class: 'badge' });
  const description = h('span', { class: 'description' });
  const detail = h('span', { class: 'detail' });
  const mark = h('span', { class: 'mark' }, icon('clock'), h('span', {}));
  const amount = h('span', { class: 'amount' });
  const editButton = iconButton('edit', '', () => edit(shown));
  const peopleButton = iconButton('people', '', () => people(shown));
  const removeButton = iconButton('delete', '', () => remove(shown)); // and, until it is sent, takes it back
  const element = h('li', { class: 'row', tabIndex: -1, data: { key } },
    badge, h('div', { class: 'what' }, description, detail), mark, amount,
    h('div', { class: 'tools' }, editButton, peopleButton, removeButton));

  function show(row) {
    const before = shown;
    shown = row;
    if (before?.category !== row.category) {
      badge.dataset.category = row.category;
      badge.replaceChildren(icon(row.category));
    }
    setText(description, row.description);
    setText(detail, [categoryName(row.category), sharedWords(row), row.merchant, row.notes].filter(Boolean).join(' · '));
    setText(amount, amountText(row));
    amount.dataset.type = row.type;
    element.dataset.pending = row.pending ?? '';
    setText(mark.lastChild, waitingWords[row.pending] ?? '');
    const going = row.pending === 'DELETE';
    editButton.hidden = going || !mayEdit(row);
    peopleButton.hidden = going || isTemporary(row.id);
    removeButton.hidden = !mayRemove(row);
    name(editButton, 'edit', `Edit ${row.description}`);
    name(peopleButton, 'people', `People: ${row.description}`);
    name(removeButton, going ? 'undo' : 'delete', `${going ? 'Keep' : 'Delete'} ${row.description}`);
  }
  return { element, show };
}

function sharedWords(row) {
  if (isForeign(row)) {
    return `from ${row.sharedBy.name}`;
  }
  return row.shared > 0 ? `shared with ${row.shared}` : '';
}

function name(button, picture, label) {
  if (button.title !== label) {
    button.title = label;
    button.setAttribute('aria-label', label);
    button.replaceChildren(icon(picture));
  }
}

function amountText(row) {
  const amount = micros(row.amount);
  return row.type === 'income' ? `+${money(amount, row.currency)}` : money(-amount, row.currency);
}
