import { budgetDraft } from '../budgets.js';
import { categoryName, spending } from '../categories.js';
import { h, iconButton, setText } from '../dom.js';
import { dismiss, drawer } from '../drawer.js';
import { sentence } from '../format.js';
import { readAmount, typedAmount } from '../numbers.js';
import { amountFault } from './amount.js';
import { randomText } from '../session.js';
import { text } from '../text.js';
import { Fields } from './fields.js';

const longestName = 100;

/**
 * The dialog in which a budget is made or changed. Budgets live on the server
 * alone, so it stays open until the server has taken the budget.
 */
export class BudgetForm {
  #budgets;
  #toast;
  #currency;
  #fields = new Fields('budget');
  #title = h('h2', { id: 'budget-form-title' });
  #refusal = h('p', { class: 'error', role: 'alert' });
  #save = h('button', { type: 'submit', class: 'primary' });
  #details = h('details', {}, h('summary', {}, text('budget.days')));
  #known = null;
  #key = '';

  /** @param {{budgets, toast, currency: () => string}} parts currency gives the one that budgets are in, '' to name none */
  constructor({ budgets, toast, currency }) {
    this.#budgets = budgets;
    this.#currency = currency;
    this.#toast = toast;
    this.element = drawer({ className: 'editor', title: 'budget-form-title', closed: () => {} },
      h('div', { class: 'sheet' },
        h('header', {}, this.#title, iconButton('close', text('frame.close'), () => dismiss(this.element))), this.#form()));
  }

  /** Opens with a known budget, or empty. */
  open(budget = null) {
    this.#known = budget;
    this.#key = randomText(20);
    this.#title.textContent = text(budget ? 'budget.edit' : 'budget.new');
    this.#save.textContent = text(budget ? 'budget.save' : 'budget.add');
    this.#refusal.textContent = '';
    this.#fields.fill(filled(budget));
    this.#nameAmount(this.#currency());
    this.#details.open = Boolean(budget?.startDate || budget?.endDate);
    this.element.showModal();
    this.#fields.get('name').focus();
  }

  #nameAmount(currency) {
    setText(this.#fields.get('amount').previousSibling, currency ? text('form.amountIn', { currency }) : text('budget.amount'));
  }

  #form() {
    const field = (name, label, control) => this.#fields.add(name, label, control);
    const dates = h('div', { class: 'pair' },
      field('startDate', text('budget.first'), h('input', { type: 'date' })),
      field('endDate', text('budget.last'), h('input', { type: 'date' })));
    this.#details.append(dates);
    return h('form', { noValidate: true, on: { submit: (event) => this.#submitted(event) } },
      field('name', text('budget.name'), h('input', { maxlength: longestName, autocomplete: 'off', required: true })),
      h('div', { class: 'pair' },
        field('amount', text('budget.amount'), h('input', { inputmode: 'decimal', autocomplete: 'off', required: true, class: 'big' })),
        field('period', text('budget.renewed'), options(['monthly', 'weekly', 'yearly'].map((period) => [period, text(`budget.${period}`)])))),
      h('div', { class: 'pair' },
        field('category', text('budget.category'), options([['all', text('budget.all')], ...spending.map(([value]) => [value, categoryName(value)])])),
        field('alertThreshold', text('budget.warnat'), h('input', { inputmode: 'numeric', autocomplete: 'off', required: true }))),
      this.#details, this.#refusal,
      h('div', { class: 'buttons' },
        h('button', { type: 'button', class: 'plain', on: { click: () => dismiss(this.element) } }, text('frame.cancel')), this.#save));
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
    this.#toast.announce(text('budget.saved', { name: draft.name }));
  }

  // Who has seen that it was changed elsewhere, and saves again, means it.
  #refused(err) {
    if (this.#known && err.current) {
      this.#known = { ...this.#known, version: err.current.version };
      this.#refusal.textContent = text('budget.changedmeanwhile', { message: sentence(err.message) });
    } else {
      this.#refusal.textContent = sentence(err.message);
    }
  }

  #values() {
    const typed = (name) => this.#fields.text(name);
    return {
      name: typed('name'), category: typed('category'), period: typed('period'), amount: readAmount(typed('amount')).amount,
      startDate: typed('startDate') || null, endDate: typed('endDate') || null,
      alertThreshold: /^\d+$/.test(typed('alertThreshold')) ? Number(typed('alertThreshold')) : NaN,
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

const amountRule = { enough: (amount) => amount > 0, tooLittle: text('budget.toolittle'), example: 250 };

/** What is wrong with values, by field; typed is the amount as it was typed. */
function check({ name, startDate, endDate, alertThreshold }, typed) {
  const faults = { amount: amountFault(typed, amountRule) };
  if (!name) {
    faults.name = text('budget.noname');
  }
  if (!(alertThreshold >= 1 && alertThreshold <= 100)) {
    faults.alertThreshold = text('budget.nopercent');
  }
  if (startDate && endDate && endDate < startDate) {
    faults.endDate = text('budget.daysreversed');
  }
  return faults;
}
