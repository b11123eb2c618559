import { h, icon } from '../dom.js';
import { devicesOf, filtersOf, peopleOf } from '../filter.js';
import { prepareSearch } from '../searchtext.js';
import { text } from '../text.js';
import { FilterForm } from './filterform.js';
import { MonthWalk } from './monthwalk.js';

/** What stands above the list of entries: the months, the search, the filters. */
export class Finder {
  #navigation;
  #months;
  #filters;
  #search;
  #inUse = h('span', { class: 'in-use', hidden: true });
  #toggle;
  #context;
  #rows = [];
  #deviceNames = new Map();

  constructor(context) {
    this.#context = context;
    this.#navigation = context.navigation;
    this.#months = new MonthWalk({ ...context, all: true });
    this.#filters = new FilterForm(context, () => (this.#turn(), this.#toggle.focus()));
    this.#search = h('input', {
      type: 'search', id: 'search', maxlength: 200, autocomplete: 'off', enterkeyhint: 'search', placeholder: text('find.searchHint'),
      on: { focus: () => prepareSearch(this.#rows), input: () => this.#navigation.search(this.#search.value) },
    });
    this.#toggle = h('button', { type: 'button', class: 'plain filter-toggle', aria: { expanded: 'false' }, on: { click: () => this.#turn() } },
      icon('filter'), h('span', { class: 'name' }, text('find.filter')), ' ', this.#inUse);
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
    this.#inUse.hidden = used === 0;
    this.#inUse.replaceChildren(...used > 0 ? [String(used), h('span', { class: 'only-read' }, ` ${text('find.inUse')}`)] : []);
    this.#rows = rows;
    this.#showFilters();
  }

  #showFilters() {
    if (!this.#filters.element.hidden) {
      this.#filters.show(peopleOf(this.#rows), devicesOf(this.#rows).map((id) => ({ id, name: this.#nameOf(id) })));
    }
  }

  #nameOf(device) {
    return device === this.#context.deviceId ? text('find.thisDevice') : this.#deviceNames.get(device) ?? device;
  }

  // Without an answer a device is called by its id.
  async #nameDevices() {
    const devices = await this.#context.api.devices().catch(() => []);
    this.#deviceNames = new Map(devices.map(({ deviceId, client }) => [deviceId, client || deviceId]));
    this.#showFilters();
  }

  focusSearch() {
    this.#search.focus();
    this.#search.select();
  }

  #turn() {
    const { element } = this.#filters;
    element.hidden = !element.hidden;
    this.#toggle.setAttribute('aria-expanded', !element.hidden);
    if (!element.hidden) {
      this.#showFilters();
      this.#filters.focus();
      this.#nameDevices();
    }
  }
}
