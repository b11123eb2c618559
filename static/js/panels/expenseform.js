import { categoryName, earning, spending } from '../categories.js';
import { h, setAttribute, setText } from '../dom.js';
import { dayOf, instantOf, largestAmount, parseAmount, smallestAmount, typedAmount } from '../format.js';

let forms = 0;

/**
 * A form for an expense, new or known. submit receives the fields as the server
 * takes them; for a known expense only those that were changed. currency gives
 * the currency in which a new one probably is.
 */
export class ExpenseForm {
  #fields = {};
  #errors = {};
  #prefix = `expense-${++forms}`;
  #known = null;
  #submit;
  #currency;
  #details;
  #categoryChosen = false;

  /** @param {{submit: (fields: object) => void, label: string, cancel?: () => void, currency?: () => string}} options */
  constructor({ submit, label, cancel, currency = () => '' }) {
    this.#submit = submit;
    this.#currency = currency;
    this.#details = this.#moreDetails();
    this.element = h('form', { class: 'expense-form', noValidate: true, on: { submit: (event) => this.#submitted(event) } },
      this.#typeChoice(),
      h('div', { class: 'pair' },
        this.#field('amount', 'Amount', h('input', { inputmode: 'decimal', autocomplete: 'off', required: true, class: 'big' })),
        this.#field('date', 'Date', h('input', { type: 'date', required: true }))),
      this.#field('description', 'Description', h('input', { maxlength: 100, autocomplete: 'off', required: true })),
      this.#field('category', 'Category', categorySelect()),
      this.#details,
      h('div', { class: 'buttons' },
        cancel && h('button', { type: 'button', class: 'plain', on: { click: cancel } }, 'Cancel'),
        h('button', { type: 'submit', class: 'primary' }, label)));
    this.#fields.category.addEventListener('change', () => { this.#categoryChosen = true; });
    this.#fields.currency.addEventListener('input', () => this.#nameAmount());
    this.fill();
  }

  /** Shows a known expense, or, without one, an empty form. */
  fill(row = null) {
    this.#known = row;
    this.#categoryChosen = row !== null;
    const { type, amount, description = '', category = 'food', date, currency = '', merchant = '', notes = '' } = row ?? { currency: this.#currency() };
    this.#fields[type === 'income' ? 'income' : 'expense'].checked = true;
    const texts = { amount: typedAmount(amount ?? ''), description, category, currency, merchant, notes, date: dayOf(date ?? Date.now()) };
    Object.entries(texts).forEach(([name, value]) => { this.#fields[name].value = value; });
    Object.keys(this.#errors).forEach((name) => this.#mark(name, ''));
    this.#details.open = Boolean(row && (merchant || notes));
    this.#nameAmount();
  }

  focus() {
    this.#fields.amount.focus();
  }

  #typeChoice() {
    const choice = (value, text) => {
      const input = h('input', { type: 'radio', name: `${this.#prefix}-type`, value, on: { change: () => this.#typeChanged() } });
      this.#fields[value] = input;
      return h('label', {}, input, h('span', {}, text));
    };
    return h('fieldset', { class: 'switch' }, h('legend', { class: 'only-read' }, 'Kind'), choice('expense', 'Expense'), choice('income', 'Income'));
  }

  #moreDetails() {
    return h('details', {}, h('summary', {}, 'More details'),
      h('div', { class: 'pair' },
        this.#field('merchant', 'Merchant', h('input', { maxlength: 50, autocomplete: 'off' })),
        this.#field('currency', 'Currency', h('input', { maxlength: 5, autocomplete: 'off', class: 'upper', placeholder: 'EUR' }))),
      this.#field('notes', 'Notes', h('textarea', { maxlength: 500, rows: 2 })));
  }

  #field(name, label, control) {
    control.id = `${this.#prefix}-${name}`;
    control.name = name;
    const error = h('p', { class: 'error', id: `${control.id}-error` });
    this.#fields[name] = control;
    this.#errors[name] = error;
    control.addEventListener('input', () => this.#mark(name, ''));
    return h('div', { class: 'field', data: { field: name } }, h('label', { for: control.id }, label), control, error);
  }

  // A category of the other kind is unlikely; the first of this kind is a start.
  #typeChanged() {
    if (!this.#categoryChosen) {
      this.#fields.category.value = this.#type() === 'income' ? 'salary' : 'food';
    }
  }

  // The currency is out of sight more often than not; the amount tells it.
  #nameAmount() {
    const currency = this.#fields.currency.value.trim().toUpperCase();
    setText(this.#fields.amount.previousSibling, currency ? `Amount, ${currency}` : 'Amount');
  }

  #type() {
    return this.#fields.income.checked ? 'income' : 'expense';
  }

  #submitted(event) {
    event.preventDefault();
    const values = this.#values();
    const faults = check(values);
    Object.keys(this.#errors).forEach((name) => this.#mark(name, faults[name] ?? ''));
    const first = Object.keys(this.#errors).find((name) => faults[name]);
    if (first) {
      this.#show(this.#fields[first]);
      return;
    }
    this.#submit(this.#known ? changed(this.#known, values) : filled(values));
  }

  #show(control) {
    const details = control.closest('details');
    if (details) {
      details.open = true;
    }
    control.focus();
  }

  #values() {
    const text = (name) => this.#fields[name].value.trim();
    return {
      type: this.#type(),
      amount: parseAmount(text('amount')),
      description: text('description'),
      category: this.#fields.category.value,
      date: this.#date(),
      currency: text('currency').toUpperCase(),
      merchant: text('merchant'),
      notes: text('notes'),
    };
  }

  // A day that was left alone keeps the time of day that it had.
  #date() {
    const day = this.#fields.date.value;
    if (this.#known?.date && day === dayOf(this.#known.date)) {
      return this.#known.date;
    }
    return day && instantOf(day);
  }

  #mark(name, fault) {
    const control = this.#fields[name];
    this.#errors[name].textContent = fault;
    setAttribute(control, 'aria-invalid', fault && 'true');
    setAttribute(control, 'aria-describedby', fault && this.#errors[name].id);
  }
}

function categorySelect() {
  const group = (label, list) => h('optgroup', { label }, list.map(([value]) => h('option', { value }, categoryName(value))));
  return h('select', { required: true }, group('Spending', spending), group('Income', earning));
}

/** What is wrong with values, by field. */
function check({ amount, description, category, date, currency }) {
  const faults = {};
  if (Number.isNaN(amount)) {
    faults.amount = 'Enter a number, such as 12.50.';
  } else if (amount < smallestAmount) {
    faults.amount = 'Enter at least 0.01.';
  } else if (amount > largestAmount) {
    faults.amount = 'That is more than can be kept.';
  }
  if (!date) {
    faults.date = 'Choose a date.';
  }
  if (!description) {
    faults.description = 'Say what it was.';
  }
  if (!category) {
    faults.category = 'Choose a category.';
  }
  if (currency && !/^[A-Z]{3,5}$/.test(currency)) {
    faults.currency = 'Three to five letters.';
  }
  return faults;
}

function filled(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));
}

function changed(known, values) {
  return Object.fromEntries(Object.entries(values).filter(([name, value]) => value !== (known[name] ?? '')));
}
