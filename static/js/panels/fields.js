import { h, setAttribute } from '../dom.js';

/**
 * The labelled controls of a form and their errors. An error is shown below its
 * control, announced with it, and removed on input.
 */
export class Fields {
  #prefix;
  #controls = {};
  #errors = {};

  /** @param {string} prefix for ids; no other form on the page may have it */
  constructor(prefix) {
    this.#prefix = prefix;
  }

  /** Returns control with its label and the element for its error. */
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

  /** The trimmed value. */
  text(name) {
    return this.#controls[name].value.trim();
  }

  /** Sets the controls named in values. */
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

  /** Shows all errors, by name, focuses the first, and returns whether there is one. */
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
