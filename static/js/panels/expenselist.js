import { arrange, h, setText, soon } from '../dom.js';
import { dayOfRow, dayTitle } from '../days.js';
import { mayEdit, mayRemove } from '../permissions.js';
import { money } from '../numbers.js';
import { net } from '../totals.js';
import { rowElement } from './expenserow.js';

/** How many rows are shown at first, and how many more at a time. */
const pageSize = 100;

/**
 * The list of expenses by day, newest first. It puts itself into the context as
 * `list`, for what acts on rows from elsewhere, such as keyboard shortcuts.
 */
export function mount(context) {
  const list = new List(context);
  context.list = list;
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
    return { edit: (row) => this.edit(row), people: (row) => this.#context.people.open(row), remove: (row) => this.remove(row) };
  }

  /** The row that has the focus, itself or one of its buttons; null if none has. */
  current() {
    const key = document.activeElement?.closest?.('.row')?.dataset.key;
    return this.#context.expenseList.rows().find((row) => row.key === key) ?? null;
  }

  /** Moves the focus to the row below; without a focused row, to the first. */
  next() {
    this.#focusRow(1);
  }

  /** Moves the focus to the row above. */
  previous() {
    this.#focusRow(-1);
  }

  #focusRow(by) {
    const order = [...this.#body.querySelectorAll('.row')];
    order[Math.max(0, order.indexOf(document.activeElement?.closest?.('.row')) + by)]?.focus();
  }

  /** Opens a row in the editor, if this person may change it. */
  edit(row) {
    const { actions, editor } = this.#context;
    if (mayEdit(row) && row.pending !== 'DELETE') {
      editor.open({
        title: 'Edit entry', label: 'Save', row,
        save: (patch) => Object.keys(patch).length > 0 && actions.edit(row, patch),
      });
    }
  }

  /** Deletes a row, if this person may; one whose deletion still waits is kept instead. */
  remove(row) {
    const { actions } = this.#context;
    if (mayRemove(row)) {
      row.pending === 'DELETE' ? actions.restore(row) : actions.remove(row);
    }
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
