import { categoryName } from '../categories.js';
import { dayOfRow, dayTitle } from '../days.js';
import { h, icon, iconButton, setText } from '../dom.js';
import { isolated } from '../format.js';
import { isForeign, mayEdit, mayRemove } from '../permissions.js';
import { micros, money } from '../numbers.js';
import { isTemporary } from '../queue.js';
import { text } from '../text.js';

const waitingWords = { CREATE: 'Waiting', UPDATE: 'Change waiting', DELETE: 'Deletion waiting' };

/**
 * The element of an entry in the list, for one entry after another; its handlers act
 * on the one that it shows. It is kept while the entry is in the document, so that
 * the focus stays.
 */
export function rowElement({ edit, duplicate, people, remove }) {
  let shown;
  const badge = h('span', { class: 'badge' });
  const description = h('bdi', { class: 'description' });
  const detail = h('span', { class: 'detail' });
  const mark = h('span', { class: 'mark' }, icon('clock'), h('span', {}));
  const amount = h('span', { class: 'amount' });
  const editButton = iconButton('edit', '', () => edit(shown));
  const copyButton = iconButton('copy', '', () => duplicate(shown), { class: 'icon-button copy' });
  const peopleButton = iconButton('people', '', () => people(shown));
  const removeButton = iconButton('delete', '', () => remove(shown)); // and, until it is sent, takes it back
  const element = h('li', { class: 'row', tabIndex: -1, on: { click: (event) => event.target.closest('button') || chosen() || edit(shown) } },
    badge, h('div', { class: 'what' }, description, detail), mark, amount,
    h('div', { class: 'tools' }, editButton, copyButton, peopleButton, removeButton));

  function show(row, { dated = false }) {
    const before = shown;
    shown = row;
    element.dataset.key = row.key;
    if (before?.category !== row.category) {
      badge.dataset.category = row.category;
      badge.replaceChildren(icon(row.category));
    }
    setText(description, row.description);
    setText(detail, [dated && dayTitle(dayOfRow(row)), categoryName(row.category), sharedWords(row), ...typed(row)].filter(Boolean).join(' · '));
    setText(amount, amountText(row));
    amount.dataset.type = row.type;
    element.dataset.pending = row.pending ?? '';
    setText(mark.lastChild, waitingWords[row.pending] ?? '');
    const going = row.pending === 'DELETE';
    copyButton.hidden = going;
    editButton.hidden = going || !mayEdit(row);
    peopleButton.hidden = going || isTemporary(row.id);
    removeButton.hidden = !mayRemove(row);
    name(editButton, 'edit', `Edit ${row.description}`);
    name(copyButton, 'copy', text('row.duplicate', row));
    name(peopleButton, 'people', `People: ${row.description}`);
    name(removeButton, going ? 'undo' : 'delete', `${going ? 'Keep' : 'Delete'} ${row.description}`);
  }
  return { element, show };
}

/** What was typed beside the description. */
function typed({ merchant, notes, tags = [] }) {
  return [...tags.map((tag) => `#${tag}`), merchant, notes].filter(Boolean).map(isolated);
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
  }
  if (button.dataset.picture !== picture) {
    button.dataset.picture = picture;
    button.replaceChildren(icon(picture));
  }
}

function amountText(row) {
  const amount = micros(row.amount);
  return row.type === 'income' ? `+${money(amount, row.currency)}` : money(-amount, row.currency);
}

/** Reports whether text is selected: a click that ends a selection opens nothing. */
function chosen() {
  return !getSelection().isCollapsed;
}
