import { allMonths } from '../address.js';
import { inWords, rangeInWords } from '../days.js';
import { h, iconButton, setText } from '../dom.js';
import { monthsOf } from '../filter.js';
import { monthInWords, monthOf, monthsLater, thisMonth } from '../months.js';
import { text } from '../text.js';

/** The choice that stands for days that are no month. */
const days = 'days';

/**
 * Walks through the months: the one before, a list of those with entries, the one
 * after. all adds a choice of all months.
 */
export class MonthWalk {
  #navigation;
  #all;
  #choice = h('select', { aria: { label: text('find.month') }, on: { change: () => this.#choose(this.#choice.value) } });
  #options = new Map();

  constructor({ navigation, all = false }) {
    this.#navigation = navigation;
    this.#all = all;
    this.element = h('div', { class: 'months', role: 'group', aria: { label: text('find.months') } },
      iconButton('earlier', text('find.earlier'), () => this.#walk(-1)), this.#choice,
      iconButton('later', text('find.later'), () => this.#walk(1)));
  }

  /** Shows the present month among those of rows, which are sorted by day, the newest first. */
  show(rows) {
    const { place } = this.#navigation;
    const chosenDays = this.#all && (place.from || place.to);
    const months = new Set([...monthsOf(rows), thisMonth(), this.#month]);
    months.delete(allMonths);
    const values = [...chosenDays ? [days] : [], ...this.#all ? [allMonths] : [], ...[...months].sort().reverse()];
    if (String(values) !== String([...this.#options.keys()])) {
      this.#options = new Map(values.map((value) => [value, h('option', { value })]));
      this.#choice.replaceChildren(...this.#options.values());
    }
    this.#options.forEach((option, value) => setText(option, this.#name(value)));
    this.#choice.value = chosenDays ? days : this.#month;
  }

  get #month() {
    const { month } = this.#navigation;
    return month === allMonths && !this.#all ? thisMonth() : month;
  }

  #name(value) {
    switch (value) {
      case days: return daysInWords(this.#navigation.place);
      case allMonths: return text('find.allMonths');
      default: return monthInWords(value);
    }
  }

  #choose(month) {
    if (month !== days) {
      this.#navigation.set({ month, from: '', to: '' });
    }
  }

  #walk(months) {
    const { place } = this.#navigation;
    const day = this.#all ? place.from || place.to : '';
    const start = day ? monthOf(day) : this.#month === allMonths ? thisMonth() : this.#month;
    this.#choose(monthsLater(start, months));
  }
}

/** The chosen days of a place in words. */
export function daysInWords({ from, to }) {
  const style = { day: 'numeric', month: 'short', year: 'numeric' };
  if (from && to) {
    return from <= to ? rangeInWords(from, to, style) : `${inWords(from, style)} – ${inWords(to, style)}`;
  }
  return from ? text('find.from', { day: inWords(from, style) }) : text('find.to', { day: inWords(to, style) });
}
