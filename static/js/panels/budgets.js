import { alertText, budgetDraft, budgetStatus, gauge, percent, spentOf } from '../budgets.js';
import { categoryName } from '../categories.js';
import { rangeInWords } from '../days.js';
import { arrange, h, icon, iconButton, setText, svg } from '../dom.js';
import { filterOfDays } from '../filter.js';
import { sentence } from '../format.js';
import { micros, money } from '../numbers.js';
import { text } from '../text.js';
import { BudgetForm } from './budgetform.js';
import { findLink } from './findlink.js';

const periods = ['monthly', 'weekly', 'yearly'];

/** The list of budgets, each with a bar of what is spent. */
export function mount({ budgets, live, toast, navigation, sumCurrency }) {
  const form = new BudgetForm({ budgets, toast, currency: sumCurrency });
  const title = h('h2', { id: 'budgets-title', tabIndex: -1 }, text('budget.title'));
  const list = h('ul', { class: 'budgets' });
  const note = h('p', { class: 'empty', hidden: true });
  const items = new Map();

  function render() {
    setText(note, budgets.loaded
      ? text('budget.none')
      : text('budget.unreachable'));
    note.hidden = budgets.list.length > 0;
    items.forEach((_, id) => budgets.list.some((b) => b._id === id) || items.delete(id));
    arrange(list, budgets.list.map(item));
  }

  function item(budget) {
    if (!items.has(budget._id)) {
      items.set(budget._id, budgetItem(budget._id, { navigation, edit: (b) => form.open(b), remove }));
    }
    const { element, show } = items.get(budget._id);
    show(budget, sumCurrency());
    return element;
  }

  async function remove(budget) {
    const next = neighbour(items.get(budget._id).element);
    try {
      await budgets.remove(budget);
      toast.show(text('budget.deleted', budget), () => restore(budget));
      (next ?? title).focus();
    } catch (err) {
      toast.showFailure(sentence(err.message));
    }
  }

  async function restore(budget) {
    try {
      await budgets.create(budgetDraft(budget), `restore-${budget._id}-${budget.version}`);
      toast.announce(text('budget.back', budget));
    } catch (err) {
      toast.showFailure(sentence(err.message));
    }
  }

  function show(id) {
    navigation.show('overview');
    const heading = items.get(id)?.element.querySelector('h3') ?? title;
    heading.focus();
    heading.closest('li, section').scrollIntoView({ block: 'center' });
  }

  live.listen('budget:alert', (alert) => {
    budgets.refreshSoon();
    toast.showWithLink(alertText(alert, sumCurrency()), text('frame.show'), () => show(alert.budgetId));
  });
  budgets.addEventListener('change', render);
  return {
    overview: h('section', { class: 'budget-list', aria: { labelledby: 'budgets-title' } },
      h('header', { class: 'heading' }, title, h('button', { type: 'button', class: 'plain small', on: { click: () => form.open() } }, text('budget.new'))),
      note, list),
    overlay: form.element,
    render,
  };
}

function neighbour(element) {
  return (element.nextElementSibling ?? element.previousElementSibling)?.querySelector('button');
}

// An item keeps its element while it is shown, so that the focus stays and the bar
// is animated.
function budgetItem(id, { navigation, edit, remove }) {
  let shown;
  const badge = h('span', { class: 'badge' });
  const link = findLink(navigation);
  const name = h('h3', { tabIndex: -1 }, h('bdi', {}, link.element));
  const detail = h('p', { class: 'detail' });
  const state = h('strong', { class: 'word' });
  const rest = h('span', {});
  const figures = h('span', { class: 'spent' });
  const upcoming = h('span', { class: 'upcoming' });
  const others = h('span', { class: 'others' });
  const warning = h('span', { class: 'only-read' });
  const bar = budgetBar();
  const editButton = iconButton('edit', '', () => edit(shown));
  const removeButton = iconButton('delete', '', () => remove(shown));
  const element = h('li', { class: 'card budget', data: { id } },
    h('header', {}, badge, h('div', { class: 'what' }, name, detail), h('div', { class: 'tools' }, editButton, removeButton)),
    bar.element,
    h('p', { class: 'standing' }, h('span', {}, state, ' ', rest), figures, upcoming, others, warning));

  function show(budget, currency) {
    if (shown?.category !== budget.category) {
      badge.dataset.category = budget.category;
      badge.replaceChildren(icon(budget.category));
    }
    shown = budget;
    const words = budgetStatus(budget, currency);
    element.dataset.level = budget.isActive ? budget.level : 'idle';
    link.show(budget.name, entriesOf(budget));
    setText(detail, describe(budget));
    setText(state, words.state);
    setText(rest, words.rest);
    setText(figures, `${spentOf(budget, currency)} · ${percent(budget.percentage)}`);
    upcoming.hidden = !(budget.upcoming > 0n);
    setText(upcoming, text('figures.ofWhichUpcoming', { amount: money(budget.upcoming ?? 0n, currency) }));
    others.hidden = !budget.byCurrency?.length;
    setText(others, text('figures.notCounted', { sums: (budget.byCurrency ?? []).map((c) => money(micros(c.spent), c.currency)).join(' · ') }));
    setText(warning, text('budget.warns', { percent: percent(budget.alertThreshold) }));
    bar.show(budget);
    label(editButton, text('budget.editnamed', budget));
    label(removeButton, text('budget.deletenamed', budget));
  }
  return { element, show };
}

/** The filter that finds what a budget counts. */
function entriesOf({ category, periodStart, periodEnd }) {
  const last = new Date(Date.parse(periodEnd) - 1).toISOString().slice(0, 10);
  return { kind: 'expense', category: category === 'all' ? '' : category, ...filterOfDays(periodStart.slice(0, 10), last) };
}

function label(button, name) {
  button.title = name;
  button.setAttribute('aria-label', name);
}

function describe({ category, period, periodStart, periodEnd }) {
  const what = category === 'all' ? text('budget.all') : categoryName(category);
  const often = periods.includes(period) ? text(`budget.often.${period}`) : period;
  return text('budget.about', { what, often, days: days(periodStart, periodEnd) });
}

// The first and the last day of a period, whose end is exclusive.
function days(start, end) {
  return rangeInWords(start, Date.parse(end) - 1, { day: 'numeric', month: 'short' });
}

// Hidden from screen readers: the text beside it says the same.
function budgetBar() {
  const used = svg('rect', { class: 'used', x: 0, y: 18, height: 10, rx: 5 });
  const over = svg('rect', { class: 'over', y: 18, height: 10, rx: 5 });
  const warn = mark();
  const full = mark();
  const element = svg('svg', { class: 'gauge', 'aria-hidden': 'true', width: '100%', height: 34 },
    svg('rect', { class: 'track', x: 0, y: 18, width: '100%', height: 10, rx: 5 }), used, over, warn.element, full.element);
  return {
    element,
    show(budget) {
      const at = gauge(budget);
      used.setAttribute('width', `${at.used}%`);
      over.setAttribute('x', `${at.full}%`);
      over.setAttribute('width', `${at.over}%`);
      warn.show(at.warn, budget.alertThreshold === 100 ? '' : percent(budget.alertThreshold), at.warn < 20 ? 'start' : 'end');
      full.show(at.full, percent(100), 'start');
    },
  };
}

function mark() {
  const line = svg('line', { class: 'mark-line', y1: 3, y2: 32 });
  const name = svg('text', { class: 'tick', y: 11 });
  return {
    element: svg('g', {}, line, name),
    show(at, label, anchor) {
      ['x1', 'x2'].forEach((end) => line.setAttribute(end, `${at}%`));
      name.setAttribute('x', `${at}%`);
      name.setAttribute('dx', anchor === 'end' ? -4 : 4);
      name.setAttribute('text-anchor', anchor);
      setText(name, label);
    },
  };
}
