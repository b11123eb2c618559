import { categoryName, earning, spending } from '../categories.js';
import { h, setText } from '../dom.js';
import { dated, dayOfRow, isDay, today } from '../days.js';
import { readAmount, smallestAmount, typedAmount } from '../numbers.js';
import { amountFault } from './amount.js';
import { Fields } from './fields.js';

let forms = 0;

/** Earlier days are refused as typing errors: a year of two digits is in the first century. */
const earliestDay = '1900-01-01';

/**
 * A form for an expense, new or known. submit receives the fields as the server
 * takes them; for a known expense only those that were changed. currency gives
 * the currency in which a new one probably is.
 */
export class ExpenseForm {
  #prefix = `expense-${++forms}`;
  #fields = new Fields(this.#prefix);
  #kinds = {};
  #known = null;
  #submit;
  #currency;
  #details;
  #categoryChosen = false;
  #offeredDay = ''; // the day that an untouched form has

  /** @param {{submit: (fields: object) => void, label: string, cancel?: () => void, currency?: () => string}} options */
  constructor({ submit, label, cancel, currency = () => '' }) {
    this.#submit = submit;
    this.#currency = currency;
    this.#details = this.#moreDetails();
    this.element = h('form', { class: 'expense-form', noValidate: true, on: { submit: (event) => this.#submitted(event) } },
      this.#typeChoice(),
      h('div', { class: 'pair' },
        this.#fields.add('amount', 'Amount', h('input', { inputmode: 'decimal', autocomplete: 'off', required: true, class: 'big' })),
        this.#fields.add('date', 'Date', h('input', { type: 'date', required: true, min: earliestDay, max: '9999-12-31' }))),
      this.#fields.add('description', 'Description', h('input', { maxlength: 100, autocomplete: 'off', required: true })),
      this.#fields.add('category', 'Category', categorySelect()),
      this.#details,
      h('div', { class: 'buttons' },
        cancel && h('button', { type: 'button', class: 'plain', on: { click: cancel } }, 'Cancel'),
        h('button', { type: 'submit', class: 'primary' }, label)));
    this.#fields.get('category').addEventListener('change', () => { this.#categoryChosen = true; });
    this.#fields.get('currency').addEventListener('input', () => this.#nameAmount());
    this.fill();
  }

  /** Shows a known expense, or, without one, an empty form. */
  fill(row = null) {
    this.#known = row;
    this.#categoryChosen = row !== null;
    const { type, amount, description = '', category = 'food', currency = '', merchant = '', notes = '' } = row ?? { currency: this.#currency() };
    this.#kinds[type === 'income' ? 'income' : 'expense'].checked = true;
    this.#fields.fill({ amount: typedAmount(amount ?? ''), description, category, currency, merchant, notes, date: row?.date ? dayOfRow(row) : today() });
    this.#offeredDay = row ? '' : today();
    this.#details.open = Boolean(row && (merchant || notes));
    this.#nameAmount();
  }

  /** Sets the date to today again if it was left untouched over midnight. */
  renewDay() {
    if (this.#offeredDay && this.#fields.text('date') === this.#offeredDay) {
      this.#offeredDay = today();
      this.#fields.get('date').value = this.#offeredDay;
    }
  }

  focus() {
    this.#fields.get('amount').focus();
  }

  #typeChoice() {
    const choice = (value, text) => {
      const input = h('input', { type: 'radio', name: `${this.#prefix}-type`, value, on: { change: () => this.#typeChanged() } });
      this.#kinds[value] = input;
      return h('label', {}, input, h('span', {}, text));
    };
    return h('fieldset', { class: 'switch' }, h('legend', { class: 'only-read' }, 'Kind'), choice('expense', 'Expense'), choice('income', 'Income'));
  }

  #moreDetails() {
    return h('details', {}, h('summary', {}, 'More details'),
      h('div', { class: 'pair' },
        this.#fields.add('merchant', 'Merchant', h('input', { maxlength: 50, autocomplete: 'off' })),
        this.#fields.add('currency', 'Currency', h('input', { maxlength: 5, autocomplete: 'off', class: 'upper', placeholder: 'EUR' }))),
      this.#fields.add('notes', 'Notes', h('textarea', { maxlength: 500, rows: 2 })));
  }

  // Selects the first category of the chosen kind, unless one was chosen.
  #typeChanged() {
    if (!this.#categoryChosen) {
      this.#fields.get('category').value = this.#type() === 'income' ? 'salary' : 'food';
    }
  }

  // The currency field is usually hidden, so the amount's label shows the currency.
  #nameAmount() {
    const currency = this.#fields.text('currency').toUpperCase();
    setText(this.#fields.get('amount').previousSibling, currency ? `Amount, ${currency}` : 'Amount');
  }

  #type() {
    return this.#kinds.income.checked ? 'income' : 'expense';
  }

  #submitted(event) {
    event.preventDefault();
    const values = this.#values();
    if (this.#fields.refuse(check(values, this.#fields.text('amount'), this.#known))) {
      return;
    }
    this.#submit(this.#known ? changed(this.#known, values) : filled(values));
  }

  #values() {
    const text = (name) => this.#fields.text(name);
    return {
      type: this.#type(),
      amount: readAmount(text('amount')).amount,
      description: text('description'),
      category: text('category'),
      ...this.#dated(),
      currency: text('currency').toUpperCase(),
      merchant: text('merchant'),
      notes: text('notes'),
    };
  }

  // An unchanged day keeps its time of day.
  #dated() {
    const day = this.#fields.text('date');
    if (this.#known?.date && day === dayOfRow(this.#known)) {
      return { date: this.#known.date, day: this.#known.day ?? '' };
    }
    return isDay(day) ? dated(day) : { date: day, day };
  }
}

function categorySelect() {
  const group = (label, list) => h('optgroup', { label }, list.map(([value]) => h('option', { value }, categoryName(value))));
  return h('select', { required: true }, group('Spending', spending), group('Income', earning));
}

const amountRule = { enough: (amount) => amount >= smallestAmount, tooLittle: `Enter at least ${typedAmount(smallestAmount)}.`, example: 12.5, place: 'The currency goes under More details.' };

/** What is wrong with values, by field; typed is the amount as it was typed, known the row that is changed. */
function check({ description, category, date, currency }, typed, known) {
  const faults = { amount: amountFault(typed, amountRule) };
  if (!date) {
    faults.date = 'Choose a date.';
  } else if (!isDay(date.slice(0, 10)) || /^\d{5}/.test(date)) {
    faults.date = 'Choose a date before the year 10000.';
  } else if (date < earliestDay && date !== known?.date) {
    faults.date = 'Choose a date from 1900 on.';
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
