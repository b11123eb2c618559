import { percent } from '../budgets.js';
import { categoryName } from '../categories.js';
import { categoryBars } from '../charts.js';
import { arrange, place, setAttribute, setText, svg } from '../dom.js';
import { count } from '../format.js';
import { micros, money } from '../numbers.js';
import { ChartCard } from './chartcard.js';

const rowHeight = 44;
const barHeight = 10;

/** Spending by category: a bar for each, the largest first. */
export function categoryCard() {
  return new ChartCard({
    id: 'by-category', title: () => 'Spending by category', chart: new CategoryChart(),
    columns: ['Category', 'Entries', 'Share', 'Spent'],
    rows: ({ byCategory, currency }) => [...byCategory].sort((a, b) => b.total - a.total)
      .map((c) => [categoryName(c.category), String(c.count), percent(c.percentage), money(micros(c.total), currency)]),
    empty: ({ byCategory }) => (byCategory.some((c) => c.total > 0) ? '' : 'Nothing was spent in these days.'),
  });
}

class CategoryChart {
  element = svg('svg', { class: 'chart', role: 'img' });
  #rows = new Map(); // category to its elements, which stay, so that bars grow instead of jumping

  draw({ byCategory, currency, totals }, width) {
    const { bars, height } = categoryBars(byCategory, width, rowHeight);
    setAttribute(this.element, 'width', width);
    setAttribute(this.element, 'height', height);
    setAttribute(this.element, 'aria-label', spoken(bars, currency, totals));
    this.#rows.forEach((_, category) => bars.some((b) => b.category === category) || this.#rows.delete(category));
    arrange(this.element, bars.map((b) => this.#row(b, width, currency)));
  }

  #row(b, width, currency) {
    if (!this.#rows.has(b.category)) {
      this.#rows.set(b.category, row(b));
    }
    const { element, show } = this.#rows.get(b.category);
    show(b, width, `${money(micros(b.total), currency)} · ${percent(b.share)}`);
    return element;
  }
}

function row({ category }) {
  const name = svg('text', { class: 'name', x: 0 }, categoryName(category));
  const value = svg('text', { class: 'value', 'text-anchor': 'end' });
  const track = svg('rect', { class: 'track', x: 0, height: barHeight, rx: barHeight / 2 });
  const bar = svg('rect', { class: 'bar', x: 0, height: barHeight, rx: barHeight / 2 });
  return {
    element: svg('g', {}, name, value, track, bar),
    show(b, width, text) {
      place(name, { y: b.y + 16 });
      place(value, { x: width, y: b.y + 16 });
      place(track, { y: b.y + 24, width });
      place(bar, { y: b.y + 24, width: b.width });
      setText(value, text);
    },
  };
}

function spoken(bars, currency, totals) {
  const parts = bars.slice(0, 3).map((b) => `${categoryName(b.category)} ${money(micros(b.total), currency)}`);
  const rest = bars.length > 3 ? ` and ${count(bars.length - 3, 'more category', 'more categories')}` : '';
  return `Spending by category, ${money(micros(totals.expense), currency)} in all: ${parts.join(', ')}${rest}.`;
}
