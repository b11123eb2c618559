import { budgetDraft } from '../budgets.js';
import { categoryName, spending } from '../categories.js';
import { h, iconButton } from '../dom.js';
import { sentence } from '../format.js';
import { readAmount, typedAmount } from '../numbers.js';
import { amountFault } from './amount.js';
import { randomText } from '../session.js';
import { Fields } from './fields.js';

const longestName = 100;

/**
 * The dialog in which a budget is made or changed. Budgets live on the server
 * alone, so it stays open until the server has taken the budget.
 */
export class BudgetForm {
  #budgets;
  #toast;
  #fields = new Fields('budget');
  #title = h('h2', { id: 'budget-form-title' });
  #refusal = h('p', { class: 'error', role: 'alert' });
  #save = h('button', { type: 'submit', class: 'primary' });
  #details = h('details', {}, h('summary', {}, 'First and last day'));
  #known = null;
  #key = '';

  constructor({ budgets, toast }) {
    this.#budgets = budgets;
    this.#toast = toast;
    this.element = h('dialog', { class: 'editor', aria: { labelledby: 'budget-form-title' } },
      h('div', { class: 'sheet' },
        h('header', {}, this.#title, iconButton('close', 'Close', () => this.element.close())), this.#form()));
  }

  /** Opens with a known budget, or empty. */
  open(budget = null) {
    this.#known = budget;
    this.#key = randomText(20);
    this.#title.textContent = budget ? 'Edit budget' : 'New budget';
    this.#save.textContent = budget ? 'Save' : 'Add budget';
    this.#refusal.textContent = '';
    this.#fields.fill(filled(budget));
    this.#details.open = Boolean(budget?.startDate || budget?.endDate);
    this.element.showModal();
    this.#fields.get('name').focus();
  }

  #form() {
    const field = (name, label, control) => this.#fields.add(name, label, control);
    const dates = h('div', { class: 'pair' },
      field('startDate', 'First day', h('input', { type: 'date' })),
      field('endDate', 'Last day', h('input', { type: 'date' })));
    this.#details.append(dates);
    return h('form', { noValidate: true, on: { submit: (event) => this.#submitted(event) } },
      field('name', 'Name', h('input', { maxlength: longestName, autocomplete: 'off', required: true })),
      h('div', { class: 'pair' },
        field('amount', 'Amount', h('input', { inputmode: 'decimal', autocomplete: 'off', required: true, class: 'big' })),
        field('period', 'Renewed', options([['monthly', 'Every month'], ['weekly', 'Every week'], ['yearly', 'Every year']]))),
      h('div', { class: 'pair' },
        field('category', 'Category', options([['all', 'All spending'], ...spending.map(([value]) => [value, categoryName(value)])])),
        field('alertThreshold', 'Warn at, in percent', h('input', { inputmode: 'numeric', autocomplete: 'off', required: true }))),
      this.#details, this.#refusal,
      h('div', { class: 'buttons' },
        h('button', { type: 'button', class: 'plain', on: { click: () => this.element.close() } }, 'Cancel'), this.#save));
  }

  async #submitted(event) {
    event.preventDefault();
    const values = this.#values();
    if (this.#save.disabled || this.#fields.refuse(check(values, this.#fields.text('amount')))) {
      return;
    }
    this.#save.disabled = true;
    await this.#send(budgetDraft(values)).catch((err) => this.#refused(err));
    this.#save.disabled = false;
  }

  async #send(draft) {
    if (this.#known) {
      await this.#budgets.update(this.#known, draft);
    } else {
      await this.#budgets.create(draft, this.#key);
    }
    this.element.close();
    this.#toast.announce(`Saved budget ${draft.name}`);
  }

  // Who has seen that it was changed elsewhere, and saves again, means it.
  #refused(err) {
    if (this.#known && err.current) {
      this.#known = { ...this.#known, version: err.current.version };
      this.#refusal.textContent = `${sentence(err.message)} Save again to put yours in its place.`;
    } else {
      this.#refusal.textContent = sentence(err.message);
    }
  }

  #values() {
    const text = (name) => this.#fields.text(name);
    return {
      name: text('name'), category: text('category'), period: text('period'), amount: readAmount(text('amount')).amount,
      startDate: text('startDate') || null, endDate: text('endDate') || null,
      alertThreshold: /^\d+$/.test(text('alertThreshold')) ? Number(text('alertThreshold')) : NaN,
    };
  }
}

function options(list) {
  return h('select', { required: true }, list.map(([value, name]) => h('option', { value }, name)));
}

function filled(budget) {
  const { name = '', amount = '', category = 'all', period = 'monthly', alertThreshold = 80, startDate, endDate } = budget ?? {};
  return { name, category, period, alertThreshold, amount: typedAmount(amount), startDate: startDate?.slice(0, 10) ?? '', endDate: endDate?.slice(0, 10) ?? '' };
}

const amountRule = { enough: (amount) => amount > 0, tooLittle: 'Enter more than nothing.', example: 250 };

/** What is wrong with values, by field; typed is the amount as it was typed. */
function check({ name, startDate, endDate, alertThreshold }, typed) {
  const faults = { amount: amountFault(typed, amountRule) };
  if (!name) {
    faults.name = 'Give it a name.';
  }
  if (!(alertThreshold >= 1 && alertThreshold <= 100)) {
    faults.alertThreshold = 'A number from 1 to 100.';
  }
  if (startDate && endDate && endDate < startDate) {
    faults.endDate = 'Comes before the first day.';
  }
  return faults;
}
