import { allMonths } from '../address.js';
import { moment, monthName, today } from '../days.js';
import { h, setText, soon } from '../dom.js';
import { monthInWords } from '../months.js';
import { money, unknown } from '../numbers.js';
import { text } from '../text.js';
import { balanceOf, monthTotals } from '../totals.js';

/**
 * Income and spending of the month that is shown until today, what is entered for days to come, and
 * as of when all figures are if there is no connection. The balance is in the header.
 */
export function mount(context) {
  const { expenseList, balance, navigation, settings } = context;
  const figures = { income: figure('income'), spent: figure('spent'), upcoming: figure('upcoming') };
  const list = h('dl', { class: 'figures' }, Object.values(figures).map((f) => f.element));
  const asOf = h('p', { class: 'hint as-of', hidden: true });
  const unchosen = h('p', { class: 'hint unchosen', hidden: true }, text('figures.unchosen', { currency: settings.currency }), ' ',
    h('button', { type: 'button', class: 'link', on: { click: () => context.chooseCurrency() } }, text('figures.choose')));

  let month;

  function render() {
    month = navigation.month;
    const [words, sums] = [{ month: shortMonth(month) }, sumsOf(month)];
    const known = expenseList.hasAllFrom(month === allMonths ? '' : `${month}-01`);
    figures.income.show(text('figures.in', words), known ? inWords(sums, 'income') : unknown);
    figures.spent.show(text('figures.out', words), known ? inWords(sums, 'spent') : unknown);
    renderUpcoming(balance.upcoming());
    unchosen.hidden = settings.currencyChosen !== false;
    asOf.hidden = balance.asOf === null;
    setText(asOf, balance.asOf === null ? '' : text('figures.asOf', { moment: moment(balance.asOf) }));
  }

  function sumsOf(month) {
    const home = settings.currency;
    return month === allMonths ? balanceOf(expenseList.sums(), { home }) : monthTotals(expenseList.sums(), month, { home });
  }

  function renderUpcoming(sums) {
    figures.upcoming.element.hidden = sums.length === 0;
    figures.upcoming.show(text('figures.upcoming'), inWords(sums, 'balance'));
  }

  balance.addEventListener('change', soon(render));
  navigation.addEventListener('change', () => navigation.month !== month && render());
  settings.addEventListener('change', render);
  return { aside: h('section', { class: 'summary', aria: { label: text('figures.summary') } }, list, asOf, unchosen), render };
}

/** A month in words, with its year if that is another. */
function shortMonth(month) {
  if (month === allMonths) {
    return text('find.everyMonth');
  }
  return month.slice(0, 4) === today().slice(0, 4) ? monthName(`${month}-01`) : monthInWords(month);
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
