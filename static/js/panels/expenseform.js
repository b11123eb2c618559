import { categoryName, earning, spending } from '../categories.js';
import { Completion } from '../completion.js';
import { currencyList } from '../currencylist.js';
import { h, setText } from '../dom.js';
import { dated, dayOfRow, isDay, today } from '../days.js';
import { micros, money, readAmount, typedAmount } from '../numbers.js';
import { readTags, typedTags } from '../tags.js';
import { text } from '../text.js';
import { Combobox } from './combobox.js';
import { changed, earliestDay, faultsOf, filled } from './expensevalues.js';
import { Fields } from './fields.js';

let forms = 0;

/**
 * A form for an expense, new or known. submit receives the fields as the server
 * takes them; for a known expense only those that were changed.
 *
 * A new expense gets from what is known already: the day and the currency that it
 * probably has, and, from a chosen description, what the earlier entry had. Only
 * fields that this person has not touched are set.
 */
export class ExpenseForm {
  #prefix = `expense-${++forms}`;
  #fields = new Fields(this.#prefix);
  #kinds = {};
  #known = null;
  #submit;
  #currency;
  #currencies;
  #details;
  #tagList = h('p', { class: 'tag-list' }); // the tags one by one, as they are read
  #touched = new Set(); // names of fields that this person has set
  #offered = {}; // day and currency that an untouched form has

  /**
   * @param {{submit: (fields: object, isAnother: boolean) => void, label: string, another?: string, cancel?: () => void, currency?: () => string, currencies?: () => Promise<object[]>, rows?: () => object[]}} options
   * With another, a second button of that name submits too, to enter another one. currency gives the currency in which a new expense probably is, currencies those to choose from, rows the earlier entries, newest first.
   */
  constructor({ submit, label, another, cancel, currency = () => '', currencies = async () => [], rows = () => [] }) {
    this.#submit = submit;
    this.#currency = currency;
    this.#currencies = currencies;
    this.#details = this.#moreDetails();
    this.element = h('form', { class: 'expense-form', noValidate: true, on: { submit: (event) => this.#submitted(event) } },
      this.#typeChoice(),
      h('div', { class: 'pair money' },
        this.#fields.add('amount', text('form.amount'), h('input', { inputmode: 'decimal', autocomplete: 'off', required: true, class: 'big' })), this.#currencyField()),
      this.#fields.add('description', text('form.description'), h('input', { maxlength: 100, autocomplete: 'off', required: true })),
      h('div', { class: 'pair' },
        this.#fields.add('category', text('form.category'), categorySelect()),
        this.#fields.add('date', text('form.date'), h('input', { type: 'date', required: true, min: earliestDay, max: '9999-12-31' }))),
      this.#fields.add('tags', text('form.tags'), h('input', { autocomplete: 'off', on: { input: () => this.#showTags() } })), this.#tagList,
      this.#details,
      h('div', { class: 'buttons' },
        cancel && h('button', { type: 'button', class: 'plain', on: { click: cancel } }, text('frame.cancel')),
        another && h('button', { type: 'button', class: 'plain', on: { click: () => this.#submitted(null, true) } }, another),
        h('button', { type: 'submit', class: 'primary' }, label)));
    this.element.addEventListener('input', ({ target }) => this.#touched.add(target.name));
    this.#fields.get('currency').addEventListener('input', () => this.#nameAmount());
    this.#completeDescription(new Completion(), rows);
    this.fill();
  }

  /** Shows a known expense, or a new one: an empty form, or one that begins with the fields of draft. */
  fill(known = null, draft = {}) {
    this.#known = known;
    this.#touched = new Set(Object.keys(known ?? draft));
    this.#offered = known ? {} : { date: today(), currency: this.#currency() };
    const { category = 'food', ...row } = { ...(known ?? { currency: this.#offered.currency, ...draft }) };
    this.#setKind(row.type);
    this.#fields.fill({
      amount: typedAmount(row.amount ?? ''), description: row.description ?? '', category, currency: row.currency ?? '', merchant: row.merchant ?? '',
      notes: row.notes ?? '', tags: typedTags(row.tags), date: row.date ? dayOfRow(row) : today(),
    });
    this.#details.open = Boolean(row.merchant || row.notes);
    this.#nameAmount();
    this.#showTags();
  }

  /** Brings day and currency of a new expense up to date, if they were left as they were offered. */
  renew() {
    if (this.#known) {
      return;
    }
    const now = { date: today(), currency: this.#currency() };
    for (const [name, value] of Object.entries(now)) {
      if (!this.#touched.has(name) && this.#fields.get(name).value === this.#offered[name]) {
        this.#fields.get(name).value = value;
      }
    }
    this.#offered = now;
    this.#nameAmount();
  }

  focus() {
    this.#fields.get('amount').focus();
  }

  #typeChoice() {
    const choice = (value, label) => {
      const input = h('input', { type: 'radio', name: `${this.#prefix}-type`, value, on: { change: () => this.#kindChosen() } });
      this.#kinds[value] = input;
      return h('label', {}, input, h('span', {}, label));
    };
    return h('fieldset', { class: 'switch' }, h('legend', { class: 'only-read' }, text('form.kind')),
      choice('expense', text('form.expense')), choice('income', text('form.income')));
  }

  #currencyField() {
    const input = h('input', { autocomplete: 'off', class: 'upper', placeholder: 'EUR' });
    const field = this.#fields.add('currency', text('form.currency'), input);
    input.after(currencyList(input, this.#currencies));
    return field;
  }

  #moreDetails() {
    return h('details', {}, h('summary', {}, text('form.details')),
      this.#fields.add('merchant', text('form.merchant'), h('input', { maxlength: 50, autocomplete: 'off' })),
      this.#fields.add('notes', text('form.notes'), h('textarea', { maxlength: 500, rows: 2 })));
  }

  #completeDescription(completion, rows) {
    this.#fields.get('description').addEventListener('focus', () => this.#known || completion.prepare(rows()));
    new Combobox(this.#fields.get('description'), {
      label: text('form.earlier'),
      suggest: (typed) => (this.#known ? [] : completion.of(typed, rows())),
      show: (row) => [
        h('bdi', { class: 'description' }, row.description),
        h('span', { class: 'detail' }, `${categoryName(row.category)} · ${money(micros(row.amount), row.currency)}`),
      ],
      chosen: (row) => this.#take(row),
    });
  }

  // Takes the description of an earlier entry, and the rest of it for what is untouched.
  #take(row) {
    const values = {
      amount: typedAmount(row.amount), category: row.category, currency: row.currency ?? '', merchant: row.merchant ?? '', tags: typedTags(row.tags),
    };
    const untouched = Object.entries(values).filter(([name]) => !this.#touched.has(name));
    this.#fields.fill({ ...Object.fromEntries(untouched), description: row.description });
    if (!this.#touched.has('type')) {
      this.#setKind(row.type);
    }
    this.#details.open ||= Boolean(this.#fields.text('merchant'));
    this.#nameAmount();
    this.#showTags();
    this.#touched.has('amount') ? this.#fields.get('description').focus() : this.#fields.get('amount').select();
  }

  #setKind(type) {
    this.#kinds[type === 'income' ? 'income' : 'expense'].checked = true;
  }

  // Selects the first category of the chosen kind, unless one was chosen.
  #kindChosen() {
    this.#touched.add('type');
    if (!this.#touched.has('category')) {
      this.#fields.get('category').value = this.#type() === 'income' ? 'salary' : 'food';
    }
  }

  // The amount's label says the currency to screen readers too.
  #nameAmount() {
    const currency = this.#fields.text('currency').toUpperCase();
    setText(this.#fields.get('amount').previousSibling, currency ? text('form.amountIn', { currency }) : text('form.amount'));
  }

  #showTags() {
    this.#tagList.replaceChildren(...readTags(this.#fields.text('tags')).map((tag) => h('bdi', { class: 'tag' }, tag)));
  }

  #type() {
    return this.#kinds.income.checked ? 'income' : 'expense';
  }

  #submitted(event, isAnother = false) {
    event?.preventDefault();
    const values = this.#values();
    if (this.#fields.refuse(faultsOf(values, this.#fields.text('amount'), this.#known))) {
      return;
    }
    this.#submit(this.#known ? changed(this.#known, values) : filled(values), isAnother);
  }

  #values() {
    const typed = (name) => this.#fields.text(name);
    return {
      type: this.#type(),
      amount: readAmount(typed('amount')).amount,
      description: typed('description'),
      category: typed('category'),
      ...this.#dated(),
      currency: typed('currency').toUpperCase(),
      merchant: typed('merchant'),
      notes: typed('notes'),
      tags: this.#tags(),
    };
  }

  // Tags that another program has given commas stay as they are while nobody edits them.
  #tags() {
    const typed = this.#fields.text('tags');
    return this.#known && typed === typedTags(this.#known.tags) ? this.#known.tags ?? [] : readTags(typed);
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
  return h('select', { required: true }, group(text('form.spending'), spending), group(text('form.earning'), earning));
}
