import { h, icon, setAttribute, setText } from '../dom.js';
import { filtersOf, peopleOf } from '../filter.js';
import { text } from '../text.js';
import { FilterForm } from './filterform.js';
import { MonthWalk } from './monthwalk.js';

/** What stands above the list of entries: the months, the search, the filters. */
export class Finder {
  #navigation;
  #months;
  #filters;
  #search;
  #count = h('span', { class: 'in-use' });
  #toggle;

  constructor(context) {
    this.#navigation = context.navigation;
    this.#months = new MonthWalk({ ...context, all: true });
    this.#filters = new FilterForm(context);
    this.#search = h('input', {
      type: 'search', id: 'search', maxlength: 200, autocomplete: 'off', enterkeyhint: 'search', placeholder: text('find.searchHint'),
      on: { input: () => this.#navigation.search(this.#search.value) },
    });
    this.#toggle = h('button', { type: 'button', class: 'plain filter-toggle', aria: { expanded: 'false' }, on: { click: () => this.#turn() } },
      icon('filter'), h('span', {}, text('find.filter')), this.#count);
    this.element = h('div', { class: 'finder' },
      this.#months.element,
      h('form', { class: 'search', role: 'search', on: { submit: (event) => event.preventDefault() } },
        h('label', { class: 'only-read', for: 'search' }, text('find.search')), this.#search, this.#toggle),
      this.#filters.element);
  }

  /** Shows the present place; rows are all there are. */
  show(rows) {
    const { place } = this.#navigation;
    const used = filtersOf(place).filter((name) => name !== 'q').length;
    this.#months.show(rows);
    if (this.#search.value !== place.q) {
      this.#search.value = place.q;
    }
    setText(this.#count, used > 0 ? String(used) : '');
    setAttribute(this.#toggle, 'aria-label', used > 0 && text('find.filterCount', { count: used }));
    if (!this.#filters.element.hidden) {
      this.#filters.show(peopleOf(rows), []);
    }
    this.#rows = rows;
  }

  focusSearch() {
    this.#search.focus();
    this.#search.select();
  }

  #rows = [];

  #turn() {
    const { element } = this.#filters;
    element.hidden = !element.hidden;
    this.#toggle.setAttribute('aria-expanded', !element.hidden);
    if (!element.hidden) {
      this.#filters.show(peopleOf(this.#rows), []);
      this.#filters.focus();
    }
  }
}
