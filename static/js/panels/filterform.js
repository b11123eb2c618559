import { categoryName, earning, spending } from '../categories.js';
import { h } from '../dom.js';
import { me } from '../filter.js';
import { readAmount, typedAmount } from '../numbers.js';
import { text } from '../text.js';
import { Fields } from './fields.js';

/** The filters of the entries. Each takes effect as soon as it is chosen. */
export class FilterForm {
  #navigation;
  #fields = new Fields('filter');
  #people = h('select', {});
  #devices = h('select', {});
  #person;
  #device;
  element;

  /** done is called when somebody has chosen everything. */
  constructor({ navigation }, done) {
    this.#navigation = navigation;
    this.#person = this.#fields.add('person', text('find.person'), this.#people);
    this.#device = this.#fields.add('device', text('find.device'), this.#devices);
    this.#device.append(h('p', { class: 'hint' }, text('find.deviceHint')));
    this.element = h('form', { class: 'card filters', hidden: true, noValidate: true, on: { change: (event) => this.#changed(event.target), submit: (event) => event.preventDefault() } },
      this.#fields.add('kind', text('find.kind'), select([['', text('find.anyKind')], ['expense', text('find.expenses')], ['income', text('find.income')]])),
      this.#fields.add('category', text('find.category'), categories()),
      this.#fields.add('min', text('find.min'), amount()), this.#fields.add('max', text('find.max'), amount()),
      this.#fields.add('from', text('find.first'), h('input', { type: 'date' })), this.#fields.add('to', text('find.last'), h('input', { type: 'date' })),
      this.#person, this.#device, h('button', { type: 'button', class: 'plain', on: { click: done } }, text('find.done')));
  }

  /** Shows the filters of the present place; people are those who share entries, devices those that made some: {id, name}. */
  show(people, devices) {
    const { kind, category, min, max, from, to, person, device } = this.#navigation.place;
    this.#person.hidden = people.length === 0 && !person;
    this.#device.hidden = devices.length === 0 && !device;
    offer(this.#people, [['', text('find.anyPerson')], [me, text('find.mine')], ...people.map(({ id, name }) => [id, name])], person);
    offer(this.#devices, [['', text('find.anyDevice')], ...devices.map(({ id, name }) => [id, name])], device);
    this.#fields.fill({ kind, category, min: typedAmount(min), max: typedAmount(max), from, to, person, device });
  }

  focus() {
    this.#fields.get('kind').focus();
  }

  #changed({ name, value }) {
    if (name !== 'min' && name !== 'max') {
      this.#navigation.set({ [name]: value });
      return;
    }
    const typed = value.trim();
    const { amount: read } = readAmount(typed);
    if (typed !== '' && read === undefined) {
      this.#fields.mark(name, text('find.notAnAmount', { example: typedAmount(12.5) }));
    } else {
      this.#navigation.set({ [name]: typed && String(read) });
    }
  }
}

function amount() {
  return h('input', { inputmode: 'decimal', autocomplete: 'off' });
}

function select(choices) {
  return h('select', {}, options(choices));
}

function options(choices) {
  return choices.map(([value, name]) => h('option', { value }, name));
}

function categories() {
  const names = (list) => list.map(([value]) => [value, categoryName(value)]);
  return select([['', text('find.anyCategory')], ...names(spending), ...names(earning)]);
}

/** Makes choices those of a select, and the value one of them. */
function offer(element, choices, value) {
  const all = choices.some(([known]) => known === value) ? choices : [...choices, [value, value]];
  if (String(all) !== String([...element.options].map((o) => [o.value, o.textContent]))) {
    element.replaceChildren(...options(all));
  }
}
