import { categoryName } from '../categories.js';
import { dayOfRow, dayTitle } from '../days.js';
import { h, icon, iconButton, setText } from '../dom.js';
import { isolated } from '../format.js';
import { isForeign, mayEdit, mayRemove } from '../permissions.js';
import { micros, money } from '../numbers.js';
import { isTemporary } from '../queue.js';
import { text } from '../text.js';

/**
 * The element of an entry in the list, for one entry after another; its handlers act
 * on the one that it shows. It is kept while the entry is in the document, so that
 * the focus stays. In narrow windows its first button lies over all of it, and the
 * others are in the entry that it opens.
 */
export function rowElement({ edit, details, duplicate, people, remove }) {
  let shown;
  const badge = h('span', { class: 'badge' });
  const description = h('bdi', { class: 'description' });
  const detail = h('span', { class: 'detail' });
  const mark = h('span', { class: 'mark' }, icon('clock'), h('span', {}));
  const amount = h('span', { class: 'amount' });
  const editButton = iconButton('edit', '', () => edit(shown));
  const detailsButton = iconButton('eye', '', () => details(shown));
  const copyButton = iconButton('copy', '', () => duplicate(shown), { class: 'icon-button copy' });
  const peopleButton = iconButton('people', '', () => people(shown));
  const removeButton = iconButton('delete', '', () => remove(shown)); // and, until it is sent, takes it back
  const element = h('li', { class: 'row', tabIndex: -1, on: { click: (event) => event.target.closest('button') || chosen() || open() } },
    badge, h('div', { class: 'what' }, description, detail), mark, amount,
    h('div', { class: 'tools' }, editButton, detailsButton, copyButton, peopleButton, removeButton));
  const open = () => [editButton, detailsButton].find((button) => !button.hidden)?.click();

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
    setText(mark.lastChild, row.pending ? text(`entries.waiting.${row.pending}`) : '');
    const going = row.pending === 'DELETE';
    copyButton.hidden = going;
    editButton.hidden = going || !mayEdit(row);
    detailsButton.hidden = going || mayEdit(row);
    peopleButton.hidden = going || isTemporary(row.id);
    removeButton.hidden = !mayRemove(row);
    name(editButton, 'edit', text('entries.edit', row));
    name(copyButton, 'copy', text('row.duplicate', row));
    name(detailsButton, 'eye', text('entries.details', row));
    name(peopleButton, 'people', text('entries.people', row));
    name(removeButton, going ? 'undo' : 'delete', text(going ? 'entries.keep' : 'entries.delete', row));
  }
  return { element, show };
}

/** What was typed beside the description. */
function typed({ merchant, notes, tags = [] }) {
  return [...tags.map((tag) => `#${tag}`), merchant, notes].filter(Boolean).map(isolated);
}

function sharedWords(row) {
  if (isForeign(row)) {
    return text('entries.from', row.sharedBy);
  }
  return row.shared > 0 ? text('entries.shared', { count: row.shared }) : '';
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

/** The amount of an entry with its sign. */
export function amountText(row) {
  const amount = micros(row.amount);
  const currency = row.currency || (isForeign(row) ? null : ''); // without one it is in its owner's account's
  return row.type === 'income' ? `+${money(amount, currency)}` : money(-amount, currency);
}

/** Reports whether text is selected: a click that ends a selection opens nothing. */
function chosen() {
  return !getSelection().isCollapsed;
}
