import { categoryName } from '../categories.js';
import { arrange, h, icon, iconButton, setText, soon } from '../dom.js';
import { dayOfRow, dayTitle } from '../days.js';
import { micros, money } from '../numbers.js';
import { isTemporary } from '../queue.js';
import { isForeign, mayEdit, mayRemove } from '../permissions.js';
import { net } from '../totals.js';

/** How many rows are shown at first, and how many more at a time. */
const pageSize = 100;

const waitingWords = { CREATE: 'Waiting', UPDATE: 'Change waiting', DELETE: 'Deletion waiting' };

/** The list of expenses by day, newest first. */
export function mount(context) {
  const list = new List(context);
  return { entries: list.element, render: () => list.render() };
}

class List {
  #context;
  #shown = pageSize;
  #rows = new Map(); // key to {element, show}
  #days = new Map(); // day to {element, list, show}
  #title = h('h2', { id: 'list-title', class: 'only-read', tabIndex: -1 }, 'Entries');
  #body = h('div', { class: 'days' });
  #note = h('p', { class: 'empty', hidden: true });
  #more = h('button', { type: 'button', class: 'plain more', hidden: true, on: { click: () => this.#showMore() } });

  constructor(context) {
    this.#context = context;
    this.element = h('section', { class: 'list', aria: { labelledby: 'list-title' } }, this.#title, this.#note, this.#body, this.#more);
    const render = soon(() => this.render());
    context.expenseList.addEventListener('change', render);
    context.sync.addEventListener('change', render);
  }

  render() {
    const all = this.#context.expenseList.rows();
    const rows = all.slice(0, this.#shown);
    const lost = this.#focusedRow();
    this.#renderDays(byDay(rows));
    this.#rows.forEach((_, key) => rows.some((r) => r.key === key) || this.#rows.delete(key));
    this.#refocus(lost);
    this.#renderNote(all.length);
    this.#renderMore(all.length - rows.length);
  }

  #renderDays(days) {
    const kept = new Map();
    days.forEach((rows, day) => {
      const section = this.#days.get(day) ?? daySection(day, this.#context.settings);
      section.show(rows);
      arrange(section.list, rows.map((row) => this.#row(row)));
      kept.set(day, section);
    });
    this.#days = kept;
    arrange(this.#body, [...kept.values()].map((s) => s.element));
  }

  #row(row) {
    const known = this.#rows.get(row.key) ?? rowElement(row.key, this.#handlers());
    this.#rows.set(row.key, known);
    known.show(row);
    return known.element;
  }

  #handlers() {
    const { actions, editor, people } = this.#context;
    return {
      edit: (row) => editor.open({
        title: 'Edit entry', label: 'Save', row,
        save: (patch) => Object.keys(patch).length > 0 && actions.edit(row, patch),
      }),
      people: (row) => people.open(row),
      remove: (row) => (row.pending === 'DELETE' ? actions.restore(row) : actions.remove(row)),
    };
  }

  // When a focused row is removed, the row that takes its place gets the focus, so
  // that deleting by keyboard goes on from there. A row that moves to another day
  // keeps the focus.
  #focusedRow() {
    const element = document.activeElement?.closest?.('.row');
    const order = [...this.#body.querySelectorAll('.row')];
    return element ? { element, index: order.indexOf(element) } : null;
  }

  #refocus(lost) {
    const { activeElement } = document;
    if (!lost || (lost.element.contains(activeElement) && activeElement.offsetParent)) {
      return;
    }
    const order = [...this.#body.querySelectorAll('.row')];
    const next = lost.element.isConnected ? lost.element : order[Math.min(lost.index, order.length - 1)];
    (next?.querySelector('button:not([hidden])') ?? this.#title).focus();
  }

  #renderNote(total) {
    const { expenseList, sync } = this.#context;
    this.#note.hidden = total > 0;
    if (expenseList.loaded) {
      setText(this.#note, 'Nothing here yet. What you add appears on all your devices at once.');
    } else {
      setText(this.#note, sync.error ? 'Your entries appear here as soon as the server can be reached.' : 'Loading your entries…');
    }
  }

  #renderMore(left) {
    this.#more.hidden = left === 0;
    setText(this.#more, `Show ${Math.min(left, pageSize)} of ${left} more`);
  }

  #showMore() {
    const order = this.#body.querySelectorAll('.row').length;
    this.#shown += pageSize;
    this.render();
    this.#body.querySelectorAll('.row')[order]?.querySelector('button').focus();
  }
}

function byDay(rows) {
  const days = new Map();
  for (const row of rows) {
    const day = dayOfRow(row);
    days.set(day, [...(days.get(day) ?? []), row]);
  }
  return days;
}

function daySection(day, settings) {
  const title = h('span', {});
  const sum = h('span', { class: 'sum' });
  const list = h('ul', {});
  const element = h('section', { class: 'day' }, h('h3', {}, title, sum), list);
  return {
    element,
    list,
    show(rows) {
      setText(title, dayTitle(day));
      setText(sum, net(rows, settings.currency).map(({ balance, currency }) => money(balance, currency)).join(' · '));
    },
  };
}

// A row keeps its element while it is shown, so that the focus stays; its handlers
// act on the row as it was shown last.
function rowElement(key, { edit, people, remove }) {
  let shown;
  const badge = h('span', { class: 'badge' });
  const description = h('span', { class: 'description' });
  const detail = h('span', { class: 'detail' });
  const mark = h('span', { class: 'mark' }, icon('clock'), h('span', {}));
  const amount = h('span', { class: 'amount' });
  const editButton = iconButton('edit', '', () => edit(shown));
  const peopleButton = iconButton('people', '', () => people(shown));
  const removeButton = iconButton('delete', '', () => remove(shown)); // and, until it is sent, takes it back
  const element = h('li', { class: 'row', data: { key } },
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
