import { moment, monthName, today } from '../days.js';
import { h, setText, soon } from '../dom.js';
import { money } from '../numbers.js';
import { text } from '../text.js';
import { monthTotals } from '../totals.js';

/**
 * Income and spending of this month until today, what is entered for days to come, and
 * as of when all figures are if there is no connection. The balance is in the header.
 */
export function mount({ expenseList, balance, settings }) {
  const figures = { income: figure('income'), spent: figure('spent'), upcoming: figure('upcoming') };
  const list = h('dl', { class: 'figures' }, Object.values(figures).map((f) => f.element));
  const rule = h('p', { class: 'hint', hidden: true }, text('figures.upcomingRule'));
  const asOf = h('p', { class: 'hint as-of', hidden: true });

  function render() {
    const day = today();
    const sums = monthTotals(expenseList.sums(), day.slice(0, 7), { home: settings.currency });
    figures.income.show(text('figures.in', { month: monthName(day) }), inWords(sums, 'income'));
    figures.spent.show(text('figures.out', { month: monthName(day) }), inWords(sums, 'spent'));
    renderUpcoming(balance.upcoming());
    asOf.hidden = balance.asOf === null;
    setText(asOf, balance.asOf === null ? '' : text('figures.asOf', { moment: moment(balance.asOf) }));
  }

  function renderUpcoming(sums) {
    figures.upcoming.element.hidden = sums.length === 0;
    rule.hidden = sums.length === 0;
    figures.upcoming.show(text('figures.upcoming'), inWords(sums, 'balance'));
  }

  balance.addEventListener('change', soon(render));
  return { aside: h('section', { class: 'summary', aria: { label: text('figures.summary') } }, list, rule, asOf), render };
}

function figure(kind) {
  const [label, value] = [h('dt', {}), h('dd', {})];
  return {
    element: h('div', { class: 'figure', data: { kind } }, label, value),
    show(name, amount) {
      setText(label, name);
      setText(value, amount);
    },
  };
}

// Currencies with a zero sum are left out.
function inWords(sums, name) {
  const parts = sums.filter((s) => s[name] !== 0n);
  return parts.length === 0 ? money(0n, sums[0]?.currency) : parts.map((s) => money(s[name], s.currency)).join('\n');
}
