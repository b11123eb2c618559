import { allMonths } from '../address.js';
import { ranges } from '../dashboard.js';
import { rangeInWords } from '../days.js';
import { h, setText, soon } from '../dom.js';
import { text } from '../text.js';
import { categoryCard } from './categorychart.js';
import { flowCard } from './flowchart.js';
import { MonthWalk } from './monthwalk.js';

/** The dashboard of a month or another range of days: two charts that update live. */
export function mount({ dashboard, expenseList, live, navigation, sumCurrency }) {
  const months = new MonthWalk({ navigation });
  const choice = h('select', { id: 'range', on: { change: () => choose() } },
    ranges.map(([value, key]) => h('option', { value }, text(key))));
  const entries = h('p', { class: 'hint' });
  const others = h('p', { class: 'hint', hidden: true });
  const upcoming = h('p', { class: 'hint', hidden: true });
  const figures = [flowCard(navigation), categoryCard(navigation)];
  const element = h('section', { class: 'dashboard', aria: { labelledby: 'overview-title' } },
    h('header', { class: 'heading' },
      h('h2', { id: 'overview-title', class: 'only-read', tabIndex: -1 }, text('overview.title')), months.element, entries,
      h('div', { class: 'range' }, h('label', { class: 'only-read', for: 'range' }, text('overview.days')), choice)),
    others, upcoming,
    h('div', { class: 'figures-pair' }, figures.map((f) => f.element)));

  function render() {
    const { shown } = dashboard;
    const names = shown?.byCurrency?.map((c) => c.currency) ?? [];
    others.hidden = names.length === 0;
    setText(others, text('overview.otherCurrencies', { currency: shown?.currency, others: names.join(', ') }));
    upcoming.hidden = !shown?.upcoming;
    setText(upcoming, text('overview.upcoming', { count: shown?.upcoming ?? 0 }));
    setText(entries, wordsOf(shown));
    figures.forEach((f) => f.show(shown && { ...shown, currency: sumCurrency() }));
  }

  function wordsOf(shown) {
    if (shown) {
      return text('overview.entries', { days: days(shown), count: shown.totals.count });
    }
    return live.connected ? '' : text('overview.unreached');
  }

  // The present month is not named: the dashboard goes on to the next one when it begins.
  function choose() {
    const { month } = navigation.place;
    const range = choice.value === 'month' && month && month !== allMonths ? month : choice.value;
    if (range !== dashboard.range) {
      dashboard.choose(range);
    }
  }

  function follow() {
    dashboard.setVisible(navigation.current === 'overview');
    months.show(expenseList.rows());
    choose();
  }

  let { month } = navigation.place;
  navigation.addEventListener('change', () => {
    if (month !== navigation.place.month) {
      month = navigation.place.month;
      choice.value = 'month';
    }
    follow();
  });
  expenseList.addEventListener('change', soon(() => months.show(expenseList.rows())));
  dashboard.addEventListener('change', soon(render));
  live.addEventListener('state', soon(render));
  return { overview: element, render: () => (follow(), render()) };
}

function days({ from, to }) {
  return rangeInWords(from, to, { day: 'numeric', month: 'long', year: 'numeric' });
}
