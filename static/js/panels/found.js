import { allMonths, noFilter } from '../address.js';
import { categoryName } from '../categories.js';
import { h, setText } from '../dom.js';
import { filtersOf, me, monthsOf, rowsOfPlace } from '../filter.js';
import { monthInWords } from '../months.js';
import { micros, money, unbroken } from '../numbers.js';
import { isForeign } from '../permissions.js';
import { text } from '../text.js';
import { net } from '../totals.js';
import { daysInWords } from './monthwalk.js';

/** How many entries were found and what they add up to, and what to do if none was. */
export class Found {
  #navigation;
  #words = h('p', { role: 'status' });
  #line;
  #shared = h('p', { class: 'hint shared-note', hidden: true }, text('find.sharedNote'));
  #note = h('p', {});
  #offer = h('button', { type: 'button', class: 'plain', on: { click: () => this.#take() } });
  #take = () => {};

  /** @param {{navigation, cleared: () => void}} options cleared is called when the filters were cleared */
  constructor({ navigation, cleared }) {
    this.#navigation = navigation;
    const clear = h('button', { type: 'button', class: 'plain small', on: { click: () => (navigation.set(noFilter), cleared()) } }, text('find.clear'));
    this.#line = h('div', { class: 'found', hidden: true }, this.#words, clear);
    this.nothing = h('div', { class: 'empty', hidden: true }, this.#note, this.#offer);
    this.element = h('div', {}, this.#line, this.#shared, this.nothing);
  }

  /**
   * Shows what was found in rows, which are all there are if everywhere is true, and all of the place if known is;
   * waiting is what to say while there are none.
   */
  show(rows, found, { home, known, everywhere, waiting }) {
    const { place } = this.#navigation;
    const filtered = filtersOf(place).length > 0;
    this.#line.hidden = !filtered || rows.length === 0;
    if (!this.#line.hidden) {
      const figures = known ? [text('find.found', { count: found.length }), sums(found, home, place)] : [text('find.foundSoFar', { count: found.length })];
      setText(this.#words, [figures[0], ...filtersInWords(place, rows), figures[1]].filter(Boolean).join(' · '));
    }
    this.#shared.hidden = isOfOther(place.person) || !found.some(isForeign);
    this.nothing.hidden = found.length > 0;
    if (found.length === 0) {
      const isUnknown = rows.length === 0 || !(filtered ? everywhere : known);
      this.#say(...isUnknown ? [waiting] : filtered ? this.#nothingMatches(rows) : this.#emptyMonth(rows));
    }
  }

  #say(words, offer = '', take = () => {}) {
    setText(this.#note, words);
    setText(this.#offer, offer);
    this.#offer.hidden = offer === '';
    this.#take = take;
  }

  #nothingMatches(rows) {
    const everywhere = { month: allMonths, from: '', to: '' };
    const elsewhere = rowsOfPlace(rows, { ...this.#navigation.place, ...everywhere }).length;
    if (elsewhere === 0) {
      return [text('find.nothingAnywhere')];
    }
    const words = `${text('find.nothing', { when: this.#when() })} ${text('find.elsewhere', { count: elsewhere })}`;
    return [words, text('find.searchAll'), () => this.#navigation.set(everywhere)];
  }

  #emptyMonth(rows) {
    const [latest] = monthsOf(rows);
    return [text('find.noEntries', { when: this.#when() }), text('find.showMonth', { month: monthInWords(latest) }), () => this.#navigation.set({ month: latest })];
  }

  #when() {
    const { place, month } = this.#navigation;
    return place.from || place.to ? daysInWords(place) : monthInWords(month);
  }
}

/** The filters in use in words, without what was searched for, which stands in its field. */
function filtersInWords(place, rows) {
  const { kind, category, min, max, from, to, person, device } = place;
  return [
    kind && text(kind === 'income' ? 'find.income' : 'find.expenses'),
    category && categoryName(category),
    (min || max) && amounts(min, max),
    (from || to) && daysInWords(place),
    person && (person === me ? text('find.mine') : rows.find((row) => row.sharedBy?.id === person)?.sharedBy.name ?? person),
    device && text('find.device'),
  ].filter(Boolean);
}

function amounts(min, max) {
  const [least, most] = [min, max].map((amount) => amount && money(micros(amount), null));
  return min && max ? `${least}–${most}` : min ? `≥ ${least}` : `≤ ${most}`;
}

/** Whether a filter is for what one other person shares. */
function isOfOther(person) {
  return person !== '' && person !== me;
}

/** What rows add up to, per currency. What one other person shares counts if it is what was asked for. */
function sums(rows, home, { person }) {
  const counted = isOfOther(person) ? rows.map(({ sharedBy, ...row }) => row) : rows;
  return net(counted, home).map(({ balance, currency }) => unbroken(money(balance, currency))).join(' · ');
}
