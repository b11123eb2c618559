import { h } from '../dom.js';
import { text } from '../text.js';
import { Fields } from './fields.js';

const fieldsOfColumns = ['date', 'amount', 'debit', 'credit', 'type', 'description', 'merchant', 'category', 'notes'];

/** What a file leaves to choose: [parameter, values by their texts]. */
const decisions = [
  ['dates', { dmy: 'dates.dmy', mdy: 'dates.mdy', ymd: 'dates.ymd' }],
  ['decimal', { '.': 'decimal.point', ',': 'decimal.comma' }],
  ['sign', { minus: 'sign.minus', plus: 'sign.plus' }],
  ['delimiter', { ',': 'delimiter.comma', ';': 'delimiter.semicolon', '\t': 'delimiter.tab', '|': 'delimiter.bar' }],
];

/**
 * How a file is read, to be corrected: an element, and show(), which brings it up to date and
 * keeps its controls, so that the one which was used keeps the focus.
 */
export function importMapping(work) {
  const fields = new Fields('import');
  const selects = decisions.map(([name, values]) => select(name, text(`importing.${name}`), (value) => work.choose(name, value),
    [['', text('importing.choose')], ...Object.entries(values).map(([value, key]) => [value, text(`importing.${key}`)])]));
  const currency = h('input', { type: 'text', maxlength: '5', autocomplete: 'off', placeholder: text('importing.currency.account'), on: { change: () => work.choose('currency', currency.value.trim()) } });
  const columns = fieldsOfColumns.map((name) => select(`column.${name}`, text(`importing.column.${name}`), (value) => work.chooseColumn(name, Number(value)), []));
  const element = h('details', { class: 'mapping' }, h('summary', {}, text('importing.how')),
    h('div', { class: 'grid' }, selects, fields.add('currency', text('importing.currency'), currency)),
    h('fieldset', {}, h('legend', {}, text('importing.columns')), h('div', { class: 'grid' }, columns)));

  function select(name, label, choose, options) {
    const control = h('select', { on: { change: () => choose(control.value) } }, options.map(([value, shown]) => h('option', { value }, shown)));
    return fields.add(name, label, control);
  }

  function show() {
    const { mapping, questions, columns: names } = work.preview;
    element.hidden = names.length === 0;
    element.open ||= questions.length > 0;
    fieldsOfColumns.forEach((name) => fillColumns(fields.get(`column.${name}`), names, mapping.columns[name] ?? 0));
    const asks = (name) => questions.some(({ parameter }) => parameter === name);
    decisions.forEach(([name]) => {
      const control = fields.get(name);
      control.value = asks(name) ? '' : mapping[name];
      control.options[0].hidden = !asks(name);
      fields.mark(name, asks(name) ? text(`importing.ask.${name}`) : '');
    });
    fields.mark('column.date', asks('columns') ? text('importing.ask.columns') : '');
  }
  return { element, show };
}

function fillColumns(select, names, chosen) {
  const options = [text('importing.column.none'), ...names.map(columnName)];
  if ([...select.options].map((option) => option.textContent).join('\n') !== options.join('\n')) {
    select.replaceChildren(...options.map((shown, value) => h('option', { value: String(value) }, shown)));
  }
  select.value = String(chosen);
}

function columnName({ name, sample }, i) {
  const shown = name || text('importing.column.number', { number: i + 1 });
  return sample ? text('importing.column.sample', { name: shown, sample }) : shown;
}
