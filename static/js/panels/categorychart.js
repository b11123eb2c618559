import { percent } from '../budgets.js';
import { categoryName } from '../categories.js';
import { categoryBars } from '../charts.js';
import { arrange, place, setAttribute, setText, svg } from '../dom.js';
import { filterOfDays } from '../filter.js';
import { micros, money } from '../numbers.js';
import { listed, text } from '../text.js';
import { ChartCard } from './chartcard.js';
import { findLink } from './findlink.js';

const rowHeight = 44;
const barHeight = 10;

/** Spending by category: a bar for each, the largest first. A category leads to its entries. */
export function categoryCard(navigation) {
  const filter = (category, { from, to }) => ({ kind: 'expense', category, ...filterOfDays(from, to) });
  const link = (category, data) => {
    const { element, show } = findLink(navigation);
    show(categoryName(category), filter(category, data));
    return element;
  };
  return new ChartCard({
    id: 'by-category', title: () => text('chart.bycategory'), chart: new CategoryChart((category, data) => navigation.find(filter(category, data))),
    columns: ['chart.category', 'frame.entries', 'chart.share', 'chart.spent'].map((key) => text(key)),
    rows: (data) => [...data.byCategory].sort((a, b) => b.total - a.total)
      .map((c) => [link(c.category, data), String(c.count), percent(c.percentage), money(micros(c.total), data.currency)]),
    empty: ({ byCategory }) => (byCategory.some((c) => c.total > 0) ? '' : text('chart.nothingspent')),
  });
}

class CategoryChart {
  element = svg('svg', { class: 'chart', role: 'img' });
  #rows = new Map(); // category to its elements, which stay, so that bars grow instead of jumping
  #drawn = null;

  /** @param {(category: string, data) => void} choose is called with the category whose bar was clicked */
  constructor(choose) {
    this.element.addEventListener('click', ({ offsetY }) => {
      const bar = this.#drawn?.bars[Math.floor(offsetY / rowHeight)];
      bar && choose(bar.category, this.#drawn.data);
    });
  }

  draw(data, width) {
    const { byCategory, currency, totals } = data;
    const { bars, height } = categoryBars(byCategory, width, rowHeight);
    this.#drawn = { data, bars };
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
  const rest = bars.length > 3 ? [text('chart.morecategories', { count: bars.length - 3 })] : [];
  return text('chart.categoriesspoken', { total: money(micros(totals.expense), currency), categories: listed([...parts, ...rest]) });
}
