import { h, setAttribute } from '../dom.js';

/**
 * Gives a text field a list of suggestions, after the ARIA pattern of a combobox: the
 * focus stays in the field, the arrows choose, Enter or a click takes what is chosen,
 * Escape closes the list and nothing else. Text that is typed is never replaced
 * without one of these.
 */
export class Combobox {
  #input;
  #suggest;
  #show;
  #chosen;
  #list;
  #suggestions = [];
  #active = -1;

  /**
   * @param {HTMLInputElement} input with an id
   * @param {{label: string, suggest: (text: string) => object[], show: (suggestion: object) => Node[], chosen: (suggestion: object) => void}} options
   */
  constructor(input, { label, suggest, show, chosen }) {
    this.#input = input;
    this.#suggest = suggest;
    this.#show = show;
    this.#chosen = chosen;
    this.#list = h('ul', { id: `${input.id}-list`, class: 'suggestions', role: 'listbox', hidden: true, aria: { label } });
    Object.entries({ role: 'combobox', 'aria-autocomplete': 'list', 'aria-expanded': 'false', 'aria-controls': this.#list.id })
      .forEach(([name, value]) => setAttribute(input, name, value));
    input.addEventListener('input', () => this.#open(input.value.trim() !== ''));
    input.addEventListener('keydown', (event) => this.#key(event));
    input.addEventListener('blur', () => this.#close());
    input.after(this.#list);
  }

  #key(event) {
    if (event.isComposing) {
      return;
    }
    const open = !this.#list.hidden;
    const acts = {
      ArrowDown: () => this.#move(1),
      ArrowUp: () => this.#move(-1),
      Enter: open && this.#active >= 0 && (() => this.#take(this.#active)),
      Escape: open && (() => this.#close()),
    };
    if (acts[event.key]) {
      event.preventDefault(); // neither submits the form nor closes its dialog
      acts[event.key]();
    }
  }

  // Beyond the last suggestion is the text as it was typed, then the first one again.
  #move(by) {
    if (this.#list.hidden) {
      this.#open(true);
      this.#activate(by > 0 ? 0 : this.#suggestions.length - 1);
      return;
    }
    const places = this.#suggestions.length + 1;
    this.#activate((this.#active + 1 + by + places) % places - 1);
  }

  #open(wanted) {
    this.#suggestions = wanted ? this.#suggest(this.#input.value) : [];
    this.#list.replaceChildren(...this.#suggestions.map((suggestion, i) => this.#option(suggestion, i)));
    this.#list.hidden = this.#suggestions.length === 0;
    setAttribute(this.#input, 'aria-expanded', String(!this.#list.hidden));
    this.#activate(-1);
  }

  #close() {
    this.#open(false);
  }

  // Pressing must not take the focus from the field, which would close the list first.
  #option(suggestion, i) {
    return h('li', {
      id: `${this.#list.id}-${i}`, role: 'option', aria: { selected: 'false' },
      on: { mousedown: (event) => event.preventDefault(), click: () => this.#take(i) },
    }, this.#show(suggestion));
  }

  #activate(index) {
    this.#active = Math.min(index, this.#suggestions.length - 1);
    [...this.#list.children].forEach((option, i) => option.setAttribute('aria-selected', String(i === this.#active)));
    const option = this.#list.children[this.#active];
    setAttribute(this.#input, 'aria-activedescendant', option?.id);
    option?.scrollIntoView({ block: 'nearest' });
  }

  #take(index) {
    const suggestion = this.#suggestions[index];
    this.#close();
    this.#chosen(suggestion);
  }
}
