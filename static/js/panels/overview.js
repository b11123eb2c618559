import { allMonths } from '../address.js';
import { ranges } from '../dashboard.js';
import { rangeInWords } from '../days.js';
import { arrange, h, setText, soon } from '../dom.js';
import { micros, money } from '../numbers.js';
import { text } from '../text.js';
import { categoryCard } from './categorychart.js';
import { flowCard } from './flowchart.js';
import { MonthWalk } from './monthwalk.js';

/**
 * The dashboard of a month or another range of days: two charts that update live. The
 * charts are of one currency; what there is in others stands beside them.
 */
export function mount({ dashboard, expenseList, live, navigation, settings, sumCurrency }) {
  const choice = h('select', { id: 'range', on: { change: () => choose() } },
    ranges.map(([value, key]) => h('option', { value }, text(key))));
  const months = new MonthWalk({ navigation });
  const currencies = currencyChoice((currency) => dashboard.chooseCurrency(currency));
  const entries = h('p', { class: 'hint' });
  const others = h('p', { class: 'hint', hidden: true });
  const upcoming = h('p', { class: 'hint', hidden: true });
  const figures = [flowCard(navigation), categoryCard(navigation)];
  const element = h('section', { class: 'dashboard', aria: { labelledby: 'overview-title' } },
    h('header', { class: 'heading' },
      h('h2', { id: 'overview-title', class: 'only-read', tabIndex: -1 }, text('overview.title')), months.element, entries,
      h('div', { class: 'range' }, currencies.element, h('label', { class: 'only-read', for: 'range' }, text('overview.days')), choice)),
    others, upcoming,
    h('div', { class: 'figures-pair' }, figures.map((f) => f.element)));

  function render() {
    const { shown } = dashboard;
    months.element.hidden = choice.value !== 'month';
    months.show(expenseList.rows());
    currencies.show(shown, dashboard.currency, settings.currency);
    others.hidden = !shown?.byCurrency.length;
    setText(others, text('overview.otherCurrencies', { sums: (shown?.byCurrency ?? []).map(sumInWords).join(' · ') }));
    upcoming.hidden = !shown?.upcoming;
    setText(upcoming, text('overview.upcoming', { count: shown?.upcoming ?? 0 }));
    setText(entries, wordsOf(shown));
    figures.forEach((f) => f.show(shown && { ...shown, currency: dashboard.currency || sumCurrency() }));
  }

  function wordsOf(shown) {
    if (shown) {
      const { byCurrency, totals: { count } } = shown;
      return text(byCurrency.length > 0 ? 'overview.entriesIn' : 'overview.entries', { days: days(shown), count, currency: dashboard.currency || settings.currency });
    }
    return live.connected ? '' : text('overview.unreached');
  }

  // The present month is not named: the dashboard goes on to the next one when it begins.
  function choose() {
    const { month } = navigation.place;
    dashboard.choose(choice.value === 'month' && month && month !== allMonths ? month : choice.value);
  }

  function showMonths() {
    navigation.current === 'overview' && months.show(expenseList.rows());
  }

  function follow() {
    dashboard.setVisible(navigation.current === 'overview');
    showMonths();
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
  expenseList.addEventListener('change', soon(showMonths));
  dashboard.addEventListener('change', soon(render));
  live.addEventListener('state', soon(render));
  return { overview: element, render: () => (follow(), render()) };
}

// The currencies of a range, if there are several.
function currencyChoice(choose) {
  const options = new Map();
  const select = h('select', { hidden: true, aria: { label: text('overview.currency') }, on: { change: () => choose(select.value) } });
  return {
    element: select,
    show(shown, chosen, home) {
      const names = [...new Set([home, chosen || home, ...(shown?.byCurrency ?? []).map((c) => c.currency)])].sort();
      select.hidden = names.length < 2;
      arrange(select, names.map((name) => option(options, name)));
      select.value = chosen || home;
    },
  };
}

function option(options, name) {
  options.has(name) || options.set(name, h('option', { value: name }, name));
  return options.get(name);
}

function sumInWords({ currency, income, expense }) {
  return text('overview.sum', { income: money(micros(income), currency), expense: money(micros(expense), currency) });
}

function days({ from, to }) {
  return rangeInWords(from, to, { day: 'numeric', month: 'long', year: 'numeric' });
}
