import { h, listenWhile } from '../dom.js';
import { ListLayout } from '../listlayout.js';
import { DrawnGroups } from './drawngroups.js';

/** A list of no more rows than this is in the document as a whole, once it has been there for a moment. */
const smallList = 120;

/** How far beyond the window rows are kept, in heights of the window. */
const margin = 1;

/** How far at first after a jump, so that what is in the window is there sooner. */
const jumpMargin = 0.1;

/** How much further each time until the rest is there. */
const restStep = 0.45;

/** Milliseconds from what came at first until more, and between one step and the next. */
const restPause = 100;

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
  #drawnGroups; // what is in the document
  #drawn = '';
  #moving = false; // elements are being moved
  #width = 0;
  #top = 0; // how far the window was scrolled when the list was drawn
  #rest = null; // the timer until the rest is drawn
  #whole = false; // all rows are drawn

  /**
   * @param {{row: () => {element: Element, show: (row, group) => void},
   *   section: () => {element: Element, list: Element, show: (group) => void}}} make
   */
  constructor({ row, section }) {
    this.#drawnGroups = new DrawnGroups(this.element, { row, section });
    new ResizeObserver(() => this.#resized()).observe(this.element);
    listenWhile(this.element, document, 'scroll', () => this.#scrolledTo());
    listenWhile(this.element, window, 'resize', () => this.#draw());
  }

  /**
   * Shows groups: {key, rows}, of which each row has a key, and whatever the
   * makers need; other, if they are of another search or place than before. Returns false
   * if the focus was on a row and no row is left.
   */
  show(groups, { other = false } = {}) {
    const [held, anchor] = [this.#held(), this.#anchor()];
    const isJump = other || this.#layout.count === 0;
    this.#groups = groups;
    this.#layOut();
    this.#keep(anchor);
    this.#whole &&= !isJump && this.#layout.count <= smallList;
    const around = isJump ? jumpMargin : margin;
    this.#draw(true, this.focused, around);
    this.#measureAgain(around);
    this.#whole || this.#drawRest();
    return this.#refocus(held);
  }

  /** The index of the row that has the focus, -1 if none has. */
  get focused() {
    const key = this.#focusedElement()?.dataset.key;
    return key ? this.#layout.indexOf(key) : -1;
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
    return this.#drawnGroups.elementOf(this.at(index));
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

  #measureAgain(around = margin) {
    if (this.#measure()) {
      this.#layOut();
      this.#draw(true, this.focused, around);
    }
  }

  /** Reads the sizes of what is drawn, and reports whether they changed. */
  #measure() {
    const before = this.#sizes;
    this.#sizes = this.#drawnGroups.sizes() ?? before;
    return JSON.stringify(before) !== JSON.stringify(this.#sizes);
  }

  /** How far the window's top is below the list's. */
  #scrolled() {
    return -this.element.getBoundingClientRect().top;
  }

  /** The first row in a window that was scrolled into the list, to be kept in its place. */
  #anchor() {
    const scrolled = this.#layout.count > 0 ? this.#scrolled() : 0;
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

  #scrolledTo() {
    const isJump = Math.abs(this.#scrolled() - this.#top) > (1 + margin) * window.innerHeight;
    this.#draw(false, this.focused, isJump ? jumpMargin : margin);
    isJump && this.#drawRest();
  }

  /** Draws the rest step by step once nothing has come between for a moment: of a small list all. */
  #drawRest(around = jumpMargin + restStep) {
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => {
      const isSmall = this.#layout.count <= smallList;
      this.#whole = isSmall && around * window.innerHeight > this.#layout.height;
      this.#draw(false, this.focused, around);
      !this.#whole && (isSmall || around < margin) && this.#drawRest(around + restStep);
    }, restPause);
  }

  /** Brings what is near the window, and the row with an index, into the document. */
  #draw(again = false, index = this.focused, around = margin) {
    const parts = this.#wanted(index, around);
    const drawn = JSON.stringify(parts);
    if (this.#moving || (!again && drawn === this.#drawn)) {
      return;
    }
    this.#drawn = drawn;
    this.#replacing(() => this.#drawnGroups.draw(parts, this.#groups, this.#layout, this.#sizes));
  }

  #wanted(index, around) {
    const [top, height] = [this.#scrolled(), window.innerHeight];
    this.#top = top;
    if (this.#whole) {
      return this.#layout.between(-Infinity, Infinity);
    }
    return this.#layout.between(top - around * height, top + (1 + around) * height, index);
  }

  // Moving elements moves the focus, which is put back when all are in place.
  #replacing(work) {
    this.#moving = true;
    work();
    this.#moving = false;
  }
}
