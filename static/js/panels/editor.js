import { drawer, h, iconButton } from '../dom.js';
import { ExpenseForm } from './expenseform.js';

/**
 * The dialog in which an expense is added or changed. The browser keeps the
 * focus inside while it is open, closes it on Escape, and restores the focus.
 */
export class Editor {
  #title = h('h2', { id: 'editor-title' });
  #dialog;
  #save = () => {};
  #currency;

  /** @param {() => string} currency gives the currency in which a new expense probably is */
  constructor(currency) {
    this.#currency = currency;
    this.#dialog = drawer({ className: 'editor', title: 'editor-title', closed: () => this.#emptied() });
    this.element = this.#dialog;
  }

  /** Opens with a row, or empty. save receives the fields as ExpenseForm gives them. */
  open({ title, label, row = null, save }) {
    this.#title.textContent = title;
    this.#save = save;
    const form = new ExpenseForm({ label, currency: this.#currency, submit: (fields) => this.#submitted(fields), cancel: () => this.#dialog.close() });
    form.fill(row);
    this.#dialog.replaceChildren(h('div', { class: 'sheet' },
      h('header', {}, this.#title, iconButton('close', 'Close', () => this.#dialog.close())), form.element));
    this.#dialog.showModal();
    form.focus();
  }

  #submitted(fields) {
    this.#dialog.close();
    this.#save(fields);
  }

  #emptied() {
    this.#dialog.replaceChildren();
  }
}
