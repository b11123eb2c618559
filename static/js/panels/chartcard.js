import { h, setText } from '../dom.js';
import { text } from '../text.js';

/**
 * A card with a chart that can also be shown as a table. The chart fills the width
 * and is drawn again when that changes.
 */
export class ChartCard {
  #ask;
  #title;
  #chart;
  #drawn; // hidden while the table is shown
  #table;
  #stage;
  #body = h('tbody', {});
  #note;
  #toggle;
  #data = null;
  #asTable = false;

  /**
   * @param {{id: string, title: (data) => string, chart: {element: Element, draw: (data, width: number) => void, extra?: Element},
   *   columns: string[], rows: (data) => [Element, ...string[]][], empty: (data) => string}} options
   * title is asked with null before there is data; empty gives what to say
   * instead of a chart, or ''.
   */
  constructor({ id, title, chart, columns, rows, empty }) {
    this.#ask = { title, rows, empty };
    this.#chart = chart;
    this.#title = h('h3', { id });
    this.#toggle = h('button', { type: 'button', class: 'plain small', aria: { pressed: 'false' }, on: { click: () => this.#turn() } }, text('chart.table'));
    this.#stage = h('div', { class: 'stage' }, chart.element);
    this.#drawn = [this.#stage, chart.extra].filter(Boolean);
    this.#note = h('p', { class: 'hint', hidden: true });
    this.#table = h('table', { hidden: true, aria: { labelledby: id } },
      h('thead', {}, h('tr', {}, columns.map((name) => h('th', { scope: 'col' }, name)))), this.#body);
    this.element = h('section', { class: 'card figure-card', aria: { labelledby: id } },
      h('header', {}, this.#title, this.#toggle), chart.extra, this.#note, this.#stage, this.#table);
    new ResizeObserver(() => this.#draw()).observe(this.#stage);
  }

  /** Shows data, or "Loading…" without any. */
  show(data) {
    this.#data = data;
    this.#name(this.#ask.title(data));
    const nothing = data ? this.#ask.empty(data) : text('chart.loading');
    setText(this.#note, nothing);
    this.#note.hidden = nothing === '';
    this.#toggle.hidden = nothing !== '';
    this.#drawn.forEach((element) => { element.hidden = this.#asTable || nothing !== ''; });
    this.#table.hidden = !this.#asTable || nothing !== '';
    if (nothing === '') {
      this.#draw();
      this.#fill(this.#ask.rows(data));
    }
  }

  #fill(rows) {
    const focused = [...this.#body.rows].findIndex((row) => row.contains(document.activeElement));
    this.#body.replaceChildren(...rows.map(tableRow));
    this.#body.rows[Math.min(focused, rows.length - 1)]?.querySelector('a').focus();
  }

  #name(title) {
    setText(this.#title, title);
    this.#toggle.setAttribute('aria-label', text('chart.tableof', { title }));
  }

  #turn() {
    this.#asTable = !this.#asTable;
    this.#toggle.setAttribute('aria-pressed', this.#asTable);
    this.show(this.#data);
  }

  #draw() {
    const width = this.#stage.clientWidth;
    if (width > 0 && this.#data) {
      this.#chart.draw(this.#data, width);
    }
  }
}

function tableRow([name, ...values]) {
  return h('tr', {}, h('th', { scope: 'row' }, name), values.map((value) => h('td', {}, value)));
}
