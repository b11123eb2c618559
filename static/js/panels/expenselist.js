import { allMonths } from '../address.js';
import { h, setText, soon } from '../dom.js';
import { daysOfPlace, filtersOf, monthsOf, rowsOfPlace } from '../filter.js';
import { groupsOf } from '../listgroups.js';
import { monthInWords } from '../months.js';
import { mayEdit, mayRemove } from '../permissions.js';
import { isTemporary } from '../queue.js';
import { text } from '../text.js';
import { daySection } from './daysection.js';
import { rowElement } from './expenserow.js';
import { Finder } from './finder.js';
import { Found } from './found.js';
import { VirtualList } from './virtuallist.js';

/**
 * The list of expenses by day, newest first, with months, search and filters. It puts
 * itself into the context as `list`, for what acts on rows from elsewhere, such as
 * keyboard shortcuts.
 */
export function mount(context) {
  const list = new List(context);
  context.list = list;
  return { entries: list.element, render: () => list.render() };
}

class List {
  #context;
  #open = null; // whether upcoming entries are shown, once somebody has said so
  #title = h('h2', { id: 'list-title', class: 'only-read', tabIndex: -1 }, text('frame.entries'));
  #finder;
  #found;
  #list;
  #arriving = h('p', { class: 'hint arriving', hidden: true }, text('entries.arriving'));
  #earlier = h('button', { type: 'button', class: 'plain more', hidden: true, on: { click: () => this.#goOn() } });

  constructor(context) {
    this.#context = context;
    this.#finder = new Finder(context);
    this.#found = new Found({ navigation: context.navigation, cleared: () => this.#title.focus() });
    this.#list = new VirtualList({ row: () => rowElement(this.#handlers()), section: () => this.#section() });
    this.element = h('section', { class: 'list', aria: { labelledby: 'list-title' } },
      this.#title, this.#finder.element, this.#found.element, this.#list.element, this.#arriving, this.#earlier);
    const render = soon(() => this.render());
    context.expenseList.addEventListener('change', render);
    context.sync.addEventListener('change', render);
    context.navigation.addEventListener('change', ({ byAddress }) => queueMicrotask(() => this.#moved(byAddress)));
  }

  /** Brings the list up to date; moved says that the place has changed. */
  render(moved = false) {
    const { expenseList, navigation, settings } = this.#context;
    const all = expenseList.rows();
    const rows = rowsOfPlace(all, navigation.place);
    this.#finder.show(all);
    const known = expenseList.hasAllFrom(daysOfPlace(navigation.place).from);
    this.#found.show(all, rows, { home: settings.currency, known, everywhere: expenseList.complete, waiting: this.#waiting() });
    this.#renderEarlier(all, rows.length > 0);
    this.#arriving.hidden = known || rows.length === 0;
    const kept = this.#list.show(groupsOf(rows, { open: this.#open ?? (filtersOf(navigation.place).length > 0 || null) }), { other: moved });
    if (!kept) {
      this.#title.focus();
    }
  }

  /** At the end of a month, what leads to the one before that has entries. */
  #renderEarlier(all, shown) {
    const { place, month } = this.#context.navigation;
    const before = shown && month !== allMonths && filtersOf(place).length === 0 ? monthsOf(all).find((m) => m < month) : undefined;
    this.#earlier.hidden = before === undefined;
    this.#earlier.value = before ?? '';
    setText(this.#earlier, before ? text('find.showMonth', { month: monthInWords(before) }) : '');
  }

  #goOn() {
    this.#context.navigation.set({ month: this.#earlier.value });
    this.#title.focus({ preventScroll: true });
  }

  // Called when the view is in sight. Going back, the browser scrolls by itself.
  #moved(byAddress) {
    if (this.#context.navigation.current !== 'entries') {
      return;
    }
    this.render(true);
    if (!byAddress && this.element.getBoundingClientRect().top < 0) {
      this.element.scrollIntoView();
    }
    if (!byAddress && !document.activeElement?.offsetParent) {
      this.#title.focus({ preventScroll: true }); // what had the focus is out of sight
    }
  }

  #section() {
    const turn = (open) => {
      this.#open = open;
      this.render();
    };
    const { settings, expenseList } = this.#context;
    return daySection({ home: () => settings.currency, isKnown: (day) => expenseList.hasAllFrom(day), turn });
  }

  #handlers() {
    const { details, duplicate, people } = this.#context;
    return { edit: (row) => this.edit(row), details: details.open, duplicate, people: (row) => people.open(row), remove: (row) => this.remove(row) };
  }

  /** The row that has the focus, itself or one of its buttons; null if none has. */
  current() {
    const index = this.#list.focused;
    return index < 0 ? null : this.#list.at(index);
  }

  /** Moves the focus to the row below; without a focused row, to the first one in sight. */
  next() {
    this.#list.moveFocus(1);
  }

  /** Moves the focus to the row above. */
  previous() {
    this.#list.moveFocus(-1);
  }

  /** Opens a row in the editor, if this person may change it. */
  edit(row) {
    const { actions, editor } = this.#context;
    if (mayEdit(row) && row.pending !== 'DELETE') {
      editor.open({
        title: text('form.edit'), label: text('form.save'), row, tools: this.#tools(row),
        save: (patch) => Object.keys(patch).length > 0 && actions.edit(row, patch),
      });
    }
  }

  // What else can be done with a row; narrow windows offer it in the opened entry only.
  #tools(row) {
    return [
      ['copy', text('form.duplicate'), () => this.#context.duplicate(row)],
      ...(isTemporary(row.id) ? [] : [
        ['people', text('entries.peopleshort'), () => this.#context.people.open(row)],
        ['clock', text('history.show'), () => this.#context.history.open(row)],
      ]),
      ...(mayRemove(row) ? [['delete', text('entries.deleteshort'), () => this.remove(row)]] : []),
    ];
  }

  /** Deletes a row, if this person may; one whose deletion still waits is kept instead. */
  remove(row) {
    const { actions } = this.#context;
    if (mayRemove(row)) {
      row.pending === 'DELETE' ? actions.restore(row) : actions.remove(row);
    }
  }

  /** Goes to the search. */
  focusSearch() {
    this.#context.navigation.show('entries');
    this.#finder.focusSearch();
  }

  /** What to say while there are no entries at all. */
  #waiting() {
    const { expenseList, sync } = this.#context;
    if (expenseList.loaded) {
      return text('entries.none');
    }
    return text(sync.error ? 'entries.unreachable' : 'entries.loading');
  }
}
