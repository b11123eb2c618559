import { arrange, h, listenWhile } from '../dom.js';
import { ElementPool } from '../elementpool.js';
import { ListLayout } from '../listlayout.js';

/** A list of no more rows than this is in the document as a whole. */
const smallList = 120;

/** How far beyond the window rows are kept, in heights of the window. */
const margin = 1;

/**
 * A list of groups of rows of which only those near the window are in the document.
 *
 *  - All rows are equally high, and so are all headings; what they measure is read
 *    from the first ones.
 *  - The row that has the focus stays in the document with its neighbours, wherever
 *    the window is, so that the focus is kept and Tab goes on from it. If it is
 *    removed, the row that takes its place gets the focus.
 *  - What is in the window stays in its place when rows come or go above it.
 *  - Screen readers are told how many rows a group has and which one this is.
 */
export class VirtualList {
  element = h('div', { class: 'days', on: { focusin: () => this.#draw(), focusout: (event) => this.#left(event) } });
  #groups = [];
  #sizes = { row: 64, before: 30, after: 2, gap: 20 };
  #layout = new ListLayout([], this.#sizes);
  #sections; // by the key of a group: {element, list, show}
  #rows; // by the key of a row: {element, show}
  #drawn = '';
  #moving = false; // elements are being moved
  #width = 0;

  /**
   * @param {{row: () => {element: Element, show: (row, group) => void},
   *   section: () => {element: Element, list: Element, show: (group) => void}}} make
   */
  constructor({ row, section }) {
    this.#rows = new ElementPool(row);
    this.#sections = new ElementPool(section);
    new ResizeObserver(() => this.#resized()).observe(this.element);
    listenWhile(this.element, document, 'scroll', () => this.#draw());
    listenWhile(this.element, window, 'resize', () => this.#draw());
  }

  /**
   * Shows groups: {key, rows}, of which each row has a key, and whatever the
   * makers need. Returns false if the focus was on a row and no row is left.
   */
  show(groups) {
    const [held, anchor] = [this.#held(), this.#anchor()];
    this.#groups = groups;
    this.#measure();
    this.#layOut();
    this.#keep(anchor);
    this.#draw(true);
    this.#measureAgain();
    return this.#refocus(held);
  }

  /** The index of the row that has the focus, -1 if none has. */
  get focused() {
    const element = this.#focusedElement();
    return element ? this.#layout.indexOf(element.dataset.key) : -1;
  }

  /** The row with an index. */
  at(index) {
    const { group, row } = this.#layout.at(index);
    return this.#groups[group].rows[row];
  }

  /** Moves the focus by so many rows, or, if none has it, to the first in the window. The browser scrolls to it. */
  moveFocus(by) {
    const to = this.focused < 0 ? this.#layout.rowAt(this.#scrolled()) : this.focused + by;
    if (this.#layout.count > 0) {
      this.#elementOf(Math.min(this.#layout.count - 1, Math.max(0, to))).focus();
    }
  }

  #elementOf(index) {
    this.#draw(true, index);
    return this.#rows.of(this.at(index).key).element;
  }

  // On its way from one button of a row to the next the focus is nowhere: the row stays.
  #left({ relatedTarget }) {
    if (!this.element.contains(relatedTarget)) {
      this.#draw();
    }
  }

  #layOut() {
    this.#layout = new ListLayout(this.#groups, this.#sizes);
    this.element.style.height = `${this.#layout.height}px`;
  }

  #resized() {
    const { clientWidth } = this.element;
    if (clientWidth !== this.#width) {
      this.#width = clientWidth;
      this.#measureAgain();
      this.#draw();
    }
  }

  #measureAgain() {
    if (this.#measure()) {
      this.#layOut();
      this.#draw(true);
    }
  }

  /** Reads the sizes of what is drawn, and reports whether they changed. */
  #measure() {
    const before = this.#sizes;
    this.#sizes = sizesOf(this.element, this.#sections.all()) ?? before;
    return JSON.stringify(before) !== JSON.stringify(this.#sizes);
  }

  /** How far the window's top is below the list's. */
  #scrolled() {
    return -this.element.getBoundingClientRect().top;
  }

  /** The first row in a window that was scrolled into the list, to be kept in its place. */
  #anchor() {
    const scrolled = this.#scrolled();
    const index = scrolled > 0 ? this.#layout.rowAt(scrolled + this.#sizes.row) : -1;
    return index < 0 ? null : { key: this.at(index).key, top: this.#layout.topOfRow(index) };
  }

  #keep(anchor) {
    const index = anchor ? this.#layout.indexOf(anchor.key) : -1;
    const moved = index < 0 ? 0 : this.#layout.topOfRow(index) - anchor.top;
    if (moved !== 0) {
      window.scrollBy({ top: moved, behavior: 'instant' });
    }
  }

  #focusedElement() {
    const element = document.activeElement?.closest?.('.row');
    return element && this.element.contains(element) ? element : null;
  }

  #held() {
    const element = this.#focusedElement();
    const { activeElement } = document;
    return element && { element, key: element.dataset.key, index: this.focused, whole: activeElement === element };
  }

  /** Puts the focus back where a row was moved, hidden or removed with it. */
  #refocus(held) {
    const { activeElement } = document;
    if (!held || (held.element.contains(activeElement) && activeElement.offsetParent)) {
      return true;
    }
    const index = this.#layout.indexOf(held.key);
    const next = index >= 0 ? index : Math.min(held.index, this.#layout.count - 1);
    if (next < 0) {
      return false;
    }
    const element = this.#elementOf(next);
    (held.whole ? element : [...element.querySelectorAll('button')].find((b) => b.offsetParent) ?? element).focus();
    return true;
  }

  /** Brings what is near the window, and the row with an index, into the document. */
  #draw(again = false, index = this.focused) {
    const parts = this.#wanted(index);
    const drawn = JSON.stringify(parts);
    if (this.#moving || (!again && drawn === this.#drawn)) {
      return;
    }
    this.#drawn = drawn;
    this.#replacing(() => {
      this.#rows.keepOnly(new Set(parts.flatMap(({ group, places }) => places.map((place) => this.#groups[group].rows[place].key))));
      this.#sections.keepOnly(new Set(parts.map(({ group }) => this.#groups[group].key)));
      arrange(this.element, parts.map((part) => this.#section(part)));
      this.#rows.settle();
      this.#sections.settle();
    });
  }

  #wanted(index) {
    if (this.#layout.count <= smallList) {
      return this.#layout.between(-Infinity, Infinity);
    }
    const [top, height] = [this.#scrolled(), window.innerHeight];
    return this.#layout.between(top - margin * height, top + (1 + margin) * height, index);
  }

  // Moving elements moves the focus, which is put back when all are in place.
  #replacing(work) {
    this.#moving = true;
    work();
    this.#moving = false;
  }

  #section({ group: number, places }) {
    const group = this.#groups[number];
    const section = this.#sections.of(group.key);
    if (section.shown !== group) {
      section.shown = group;
      section.show(group);
    }
    section.list.style.height = group.rows.length > 0 ? `${group.rows.length * this.#sizes.row + this.#sizes.after}px` : '';
    section.element.style.top = `${this.#layout.topOfGroup(number)}px`;
    arrange(section.list, places.map((place) => this.#row(group, place)));
    return section.element;
  }

  #row(group, place) {
    const row = group.rows[place];
    const known = this.#rows.of(row.key);
    if (known.row !== row || known.group !== group) {
      Object.assign(known, { row, group });
      known.show(row, group);
      known.element.setAttribute('aria-setsize', group.rows.length);
      known.element.setAttribute('aria-posinset', place + 1);
    }
    known.element.style.top = `${place * this.#sizes.row}px`;
    return known.element;
  }
}

/** The heights of what is shown in sections, or null if nothing is in sight. */
function sizesOf(element, sections) {
  const section = sections.find(({ list }) => list.firstElementChild?.offsetParent);
  if (!section) {
    return null;
  }
  const { list } = section;
  const top = section.element.getBoundingClientRect().top;
  return {
    row: list.firstElementChild.getBoundingClientRect().height,
    before: list.getBoundingClientRect().top + list.clientTop - top,
    after: list.clientTop * 2,
    gap: parseFloat(getComputedStyle(element).rowGap),
  };
}
