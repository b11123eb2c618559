import { today } from '../days.js';
import { h, icon, iconButton, setText } from '../dom.js';
import { dismiss, drawer } from '../drawer.js';
import { text } from '../text.js';
import { ExpenseForm } from './expenseform.js';

/**
 * The dialog in which an expense is added or changed. The browser keeps the
 * focus inside while it is open and restores it; typed text is never dropped
 * without asking.
 */
export class Editor {
  #title = h('h2', { id: 'editor-title' });
  #said = h('p', { class: 'hint', role: 'status' });
  #dialog;
  #save = () => {};
  #offers;

  /** @param {{currency: () => string, currencies: () => Promise<object[]>, rows: () => object[]}} offers what ExpenseForm offers for a new expense */
  constructor(offers) {
    this.#offers = offers;
    this.#dialog = drawer({ className: 'editor', title: 'editor-title', closed: () => this.#emptied() });
    this.element = this.#dialog;
  }

  /**
   * Opens with a known row, or for a new expense, which begins with the fields of draft.
   * save receives the fields as ExpenseForm gives them. another names a button that saves and
   * stays open for another new expense, of the same day. tools are
   * what else can be done with it: [picture, label, act].
   */
  open({ title, label, another, row = null, draft = {}, save, tools = [] }) {
    this.#title.textContent = title;
    this.#save = save;
    const form = new ExpenseForm({
      ...this.#offers, label, another, submit: (fields, isAnother) => (isAnother ? this.#goOn(form, fields) : this.#submitted(fields)), cancel: () => dismiss(this.#dialog),
    });
    form.fill(row, draft);
    this.#dialog.replaceChildren(h('div', { class: 'sheet' },
      h('header', {}, this.#title, iconButton('close', text('frame.close'), () => dismiss(this.#dialog))), this.#said, form.element, this.#tools(tools)));
    setText(this.#said, '');
    this.#dialog.showModal();
    form.focus();
  }

  #tools(tools) {
    const leave = async (act) => await dismiss(this.#dialog) && act();
    const button = ([picture, label, act]) => h('button', { type: 'button', class: 'plain', data: { picture }, on: { click: () => leave(act) } }, icon(picture), label);
    return h('div', { class: 'entry-tools' }, tools.map(button));
  }

  #submitted(fields) {
    this.#dialog.close();
    this.#save(fields);
  }

  #goOn(form, fields) {
    this.#save(fields);
    this.#title.textContent = text('form.new');
    setText(this.#said, text('form.added', fields));
    form.fill(null, fields.day === today() ? {} : { date: fields.date, day: fields.day });
    form.focus();
  }

  #emptied() {
    this.#dialog.replaceChildren();
  }
}
