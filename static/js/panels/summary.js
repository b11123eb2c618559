import { monthName, today } from '../days.js';
import { h, setText, soon } from '../dom.js';
import { money } from '../numbers.js';
import { monthTotals } from '../totals.js';

/** Income and spending of this month. The balance is in the header. */
export function mount({ expenseList, settings }) {
  const figures = {
    income: figure('income'),
    spent: figure('spent'),
  };
  const list = h('dl', { class: 'figures' }, Object.values(figures).map((f) => f.element));

  function render() {
    const day = today();
    setText(figures.income.label, `In, ${monthName(day)}`);
    setText(figures.spent.label, `Out, ${monthName(day)}`);
    const sums = monthTotals(expenseList.sums(), day.slice(0, 7), { home: settings.currency });
    Object.entries(figures).forEach(([name, f]) => setText(f.value, inWords(sums, name)));
  }

  expenseList.addEventListener('change', soon(render));
  return { aside: h('section', { class: 'summary', aria: { label: 'Summary' } }, list), render };
}

function figure(kind) {
  const [label, value] = [h('dt', {}), h('dd', {})];
  return { label, value, element: h('div', { class: 'figure', data: { kind } }, label, value) };
}

// Currencies with a zero sum are left out.
function inWords(sums, name) {
  const parts = sums.filter((s) => s[name] !== 0n);
  return parts.length === 0 ? money(0n, sums[0]?.currency) : parts.map((s) => money(s[name], s.currency)).join('\n');
}
