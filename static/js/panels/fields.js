import { h, setAttribute } from '../dom.js';

/**
 * The labelled controls of a form and what is wrong with them. A fault stands
 * below its control, is read out with it, and goes as soon as it is typed in.
 */
export class Fields {
  #prefix;
  #controls = {};
  #errors = {};

  /** @param {string} prefix for ids; no other form on the page may have it */
  constructor(prefix) {
    this.#prefix = prefix;
  }

  /** Gives control with its label and the place for its fault. */
  add(name, label, control) {
    control.id = `${this.#prefix}-${name}`;
    control.name = name;
    const error = h('p', { class: 'error', id: `${control.id}-error` });
    this.#controls[name] = control;
    this.#errors[name] = error;
    control.addEventListener('input', () => this.mark(name, ''));
    return h('div', { class: 'field', data: { field: name } }, h('label', { for: control.id }, label), control, error);
  }

  get(name) {
    return this.#controls[name];
  }

  /** What was typed, without the spaces around it. */
  text(name) {
    return this.#controls[name].value.trim();
  }

  /** Fills in what values has. */
  fill(values) {
    Object.entries(values).forEach(([name, value]) => { this.#controls[name].value = value; });
    this.clear();
  }

  clear() {
    Object.keys(this.#errors).forEach((name) => this.mark(name, ''));
  }

  mark(name, fault) {
    const control = this.#controls[name];
    this.#errors[name].textContent = fault;
    setAttribute(control, 'aria-invalid', fault && 'true');
    setAttribute(control, 'aria-describedby', fault && this.#errors[name].id);
  }

  /** Shows all faults, by name, goes to the first, and tells whether there is one. */
  refuse(faults) {
    Object.keys(this.#errors).forEach((name) => this.mark(name, faults[name] ?? ''));
    const first = Object.keys(this.#errors).find((name) => faults[name]);
    if (first) {
      this.#show(this.#controls[first]);
    }
    return first !== undefined;
  }

  #show(control) {
    const details = control.closest('details');
    if (details) {
      details.open = true;
    }
    control.focus();
  }
}
