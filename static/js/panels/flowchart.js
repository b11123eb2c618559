import { flowBars, labelPlace, labelStep, short } from '../charts.js';
import { points } from '../dashboard.js';
import { inWords } from '../days.js';
import { arrange, h, place, setAttribute, setText, svg } from '../dom.js';
import { filterOfDays } from '../filter.js';
import { micros, money } from '../numbers.js';
import { text } from '../text.js';
import { ChartCard } from './chartcard.js';
import { findLink } from './findlink.js';

const height = 236;
const margin = { left: 46, right: 2, top: 10, bottom: 24 };
const widest = 26; // of a bar, in pixels

/** Income and spending by day: bars above and below a line. A day leads to its entries. */
export function flowCard(navigation) {
  const chart = new FlowChart((key) => navigation.find(filterOfDays(key)));
  const link = (key) => {
    const { element, show } = findLink(navigation);
    show(longName(key), filterOfDays(key));
    return element;
  };
  return new ChartCard({
    id: 'by-day', title: (data) => text(data && isMonth(points(data)[0].key) ? 'chart.bymonth' : 'chart.byday'), chart,
    columns: ['chart.when', 'chart.in', 'chart.out'].map((key) => text(key)),
    rows: (data) => points(data).filter((p) => p.income || p.expense).reverse()
      .map((p) => [link(p.key), money(micros(p.income), data.currency), money(micros(p.expense), data.currency)]),
    empty: ({ totals }) => (totals.count > 0 ? '' : text('chart.noentries')),
  });
}

class FlowChart {
  element = svg('svg', { class: 'chart flow', role: 'img', height });
  #band = svg('rect', { class: 'band', y: margin.top, height: height - margin.top - margin.bottom, visibility: 'hidden' });
  #grid = svg('g', {});
  #bars = svg('g', {});
  #labels = svg('g', {});
  #slots = new Map(); // key to its bars, which stay, so that they grow instead of jumping
  #drawn = null;
  #legend = legend();

  /** What stands above the chart. */
  extra = this.#legend.element;

  /** @param {(key: string) => void} choose is called with the day or month whose bars were clicked */
  constructor(choose) {
    this.element.append(this.#band, this.#grid, this.#bars, this.#labels);
    this.element.addEventListener('click', (event) => {
      const i = this.#slotAt(event);
      i >= 0 && choose(this.#drawn.list[i].key);
    });
    this.element.addEventListener('pointermove', (event) => this.#point(event));
    this.element.addEventListener('pointerleave', () => this.#leave());
  }

  draw(data, width) {
    const list = points(data);
    const area = { left: margin.left, top: margin.top, width: width - margin.left - margin.right, height: height - margin.top - margin.bottom };
    const layout = flowBars(list, area);
    this.#drawn = { data, list, layout };
    setAttribute(this.element, 'width', width);
    setAttribute(this.element, 'aria-label', text(isMonth(list[0].key) ? 'chart.monthsspoken' : 'chart.daysspoken', {
      from: longName(list[0].key), to: longName(list.at(-1).key), sums: flowText(data.totals, data.currency).join(', '),
    }));
    this.#grid.replaceChildren(...layout.grid.map((line) => gridLine(line, width)));
    this.#drawBars(layout);
    this.#labels.replaceChildren(...labels(layout.slots, area.width));
    this.#leave();
  }

  #drawBars({ slots, zero }) {
    this.#slots.forEach((_, key) => slots.some((s) => s.key === key) || this.#slots.delete(key));
    arrange(this.#bars, slots.map((slot) => this.#slot(slot, zero)));
  }

  #slot({ key, x, width, up, down }, zero) {
    if (!this.#slots.has(key)) {
      this.#slots.set(key, svg('g', {}, svg('rect', { class: 'income', rx: 2 }), svg('rect', { class: 'expense', rx: 2 })));
    }
    const group = this.#slots.get(key);
    const thick = Math.min(widest, Math.max(2, width * 0.68));
    place(group.firstChild, { x: x + (width - thick) / 2, width: thick, y: zero - up, height: up });
    place(group.lastChild, { x: x + (width - thick) / 2, width: thick, y: zero, height: down });
    return group;
  }

  #slotAt({ offsetX }) {
    return this.#drawn?.layout.slots.findIndex((s) => offsetX >= s.x && offsetX < s.x + s.width) ?? -1;
  }

  #point(event) {
    const i = this.#slotAt(event);
    if (i < 0) {
      this.#leave();
      return;
    }
    const { list, layout, data } = this.#drawn;
    place(this.#band, { x: layout.slots[i].x, width: layout.slots[i].width });
    this.#band.setAttribute('visibility', 'visible');
    this.#legend.show(longName(list[i].key), list[i], data.currency);
  }

  #leave() {
    this.#band.setAttribute('visibility', 'hidden');
    if (this.#drawn) {
      this.#legend.show(text('chart.all'), this.#drawn.data.totals, this.#drawn.data.currency);
    }
  }
}

// The legend, with the figures of the bar under the pointer.
function legend() {
  const when = h('span', { class: 'when' });
  const income = h('span', {});
  const expense = h('span', {});
  return {
    element: h('p', { class: 'legend' }, when,
      h('span', { class: 'key', data: { kind: 'income' } }, income),
      h('span', { class: 'key', data: { kind: 'expense' } }, expense)),
    show(name, figures, currency) {
      const [comes, goes] = flowText(figures, currency);
      setText(when, name);
      setText(income, comes);
      setText(expense, goes);
    },
  };
}

function flowText({ income, expense }, currency) {
  return [text('chart.insum', { amount: money(micros(income), currency) }), text('chart.outsum', { amount: money(micros(expense), currency) })];
}

function gridLine({ y, value }, width) {
  return svg('g', {},
    svg('line', { class: value === 0 ? 'axis' : 'grid', x1: margin.left, x2: width - margin.right, y1: half(y), y2: half(y) }),
    svg('text', { class: 'tick', x: margin.left - 8, y: y + 4, 'text-anchor': 'end' }, short(value)));
}

// Half a pixel, so that a line of one pixel is drawn sharply.
function half(y) {
  return Math.round(y) + 0.5;
}

function labels(slots, width) {
  const step = labelStep(slots.length, width, isMonth(slots[0].key) ? 40 : 56);
  return slots.filter((_, i) => i % step === 0).map((s) => svg('text', { class: 'tick', y: height - 6, ...labelPlace(s, margin.left + width) }, shortName(s.key)));
}

function isMonth(key) {
  return key.length === 7;
}

function shortName(key) {
  return inWords(key, isMonth(key) ? { month: 'short' } : { day: 'numeric', month: 'short' });
}

function longName(key) {
  return inWords(key, isMonth(key) ? { month: 'long', year: 'numeric' } : { weekday: 'short', day: 'numeric', month: 'short' });
}
