import { h, setText } from '../dom.js';
import { sentence } from '../format.js';
import { text } from '../text.js';
import { Fields } from './fields.js';

/**
 * A form of a dialog that saves by itself: what was saved is said below it, and an error
 * leaves what was typed as it is.
 */
export class SavedForm {
  #fields;
  #inputs;
  #save;
  #saved;
  #said = h('p', { class: 'saved', role: 'status' });
  #enter = newestNext((values) => this.#saveNow(values)); // the button stays enabled meanwhile, since a disabled one loses the focus

  /**
   * @param {object} options
   * @param {string} options.prefix for ids
   * @param {[string, string, Element][]} options.inputs name, label and control of each field
   * @param {string} options.press what the button says; with '' there is none, and a choice is saved at once
   * @param {(values: object) => void | Promise} options.save stores the values; throws {field, message} or any error
   * @param {() => string} options.saved what to say then
   */
  constructor({ prefix, title, hint, inputs, press = text('account.save'), save, saved }) {
    this.#fields = new Fields(prefix);
    this.#inputs = inputs;
    this.#save = save;
    this.#saved = saved;
    const label = press === text('account.save') ? text('account.save.of', { setting: title }) : press;
    const button = press && h('button', { type: 'submit', class: 'plain small', aria: { label } }, press);
    const fields = inputs.map(([name, name2, control]) => this.#fields.add(name, name2, control));
    this.element = h('form', { class: 'saved-form', noValidate: true, on: { submit: (event) => this.#submitted(event), input: () => setText(this.#said, '') } },
      ...fields, hint && h('p', { class: 'hint' }, hint), h('div', { class: 'buttons' }, this.#said, button || null));
    button || this.element.addEventListener('change', () => this.element.requestSubmit());
  }

  /** Shows values as they are stored, and forgets what was said. */
  fill(values) {
    this.#fields.fill(values);
    setText(this.#said, '');
  }

  #submitted(event) {
    event.preventDefault();
    this.#enter(Object.fromEntries(this.#inputs.map(([name, , control]) => [name, control.value])));
  }

  async #saveNow(values) {
    try {
      await this.#save(values);
      this.#fields.clear();
      setText(this.#said, this.#saved());
    } catch (err) {
      this.#refused(err);
    }
  }

  // An error without a field, or with one that the form has not, belongs to the first.
  #refused(err) {
    const names = this.#inputs.map(([name]) => name);
    const field = names.includes(err.field) ? err.field : names.find((name) => err.message.startsWith(`"${name}"`)) ?? names[0];
    this.#fields.mark(field, sentence(err.message));
    this.#fields.get(field).focus();
  }
}

/** Calls work with one value after another: of those that are given while it works, with the newest. */
export function newestNext(work) {
  let [current, next] = [null, null];
  return async (value) => {
    const isRepeated = next === null && JSON.stringify(value) === JSON.stringify(current);
    next = isRepeated ? null : value;
    if (current !== null) {
      return;
    }
    while (next !== null) {
      [current, next] = [next, null];
      await work(current);
    }
    current = null;
  };
}

/** The error of a field that is not sent. */
export function refusal(field, message) {
  return Object.assign(new Error(message), { field });
}
