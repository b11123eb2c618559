import { arrange } from '../dom.js';
import { ElementPool } from '../elementpool.js';

/** The groups of a list and their rows that are in the document. */
export class DrawnGroups {
  #element;
  #sections; // by the key of a group: {element, list, show}
  #rows; // by the key of a row: {element, show}

  /** @param {Element} element in which they are; make is as VirtualList takes it */
  constructor(element, make) {
    this.#element = element;
    this.#rows = new ElementPool(make.row);
    this.#sections = new ElementPool(make.section);
  }

  /** The element of a row that is drawn. */
  elementOf({ key }) {
    return this.#rows.of(key).element;
  }

  /** Brings parts of groups into the document, as a layout (listlayout.js) gives them, and takes out all others. */
  draw(parts, groups, layout, sizes) {
    this.#rows.keepOnly(new Set(parts.flatMap(({ group, places }) => places.map((place) => groups[group].rows[place].key))));
    this.#sections.keepOnly(new Set(parts.map(({ group }) => groups[group].key)));
    arrange(this.#element, parts.map((part) => this.#section(part, groups, layout, sizes)));
    this.#rows.settle();
    this.#sections.settle();
  }

  /** The heights of what is drawn, as ListLayout takes them, or null if nothing is in sight. */
  sizes() {
    const section = this.#sections.all().find(({ list }) => list.firstElementChild?.offsetParent);
    if (!section) {
      return null;
    }
    const { list } = section;
    const top = section.element.getBoundingClientRect().top;
    return {
      row: list.firstElementChild.getBoundingClientRect().height,
      before: list.getBoundingClientRect().top + list.clientTop - top,
      after: list.clientTop * 2,
      gap: parseFloat(getComputedStyle(this.#element).rowGap),
    };
  }

  #section({ group: number, places }, groups, layout, sizes) {
    const group = groups[number];
    const section = this.#sections.of(group.key);
    if (section.shown !== group) {
      section.shown = group;
      section.show(group);
    }
    section.list.style.height = group.rows.length > 0 ? `${group.rows.length * sizes.row + sizes.after}px` : '';
    section.element.style.top = `${layout.topOfGroup(number)}px`;
    arrange(section.list, places.map((place) => this.#row(group, place, sizes)));
    return section.element;
  }

  #row(group, place, sizes) {
    const row = group.rows[place];
    const known = this.#rows.of(row.key);
    if (known.row !== row || known.group !== group.key) {
      Object.assign(known, { row, group: group.key });
      known.show(row, group);
    }
    if (known.size !== group.rows.length || known.place !== place) {
      Object.assign(known, { size: group.rows.length, place });
      known.element.setAttribute('aria-setsize', known.size);
      known.element.setAttribute('aria-posinset', place + 1);
    }
    known.element.style.top = `${place * sizes.row}px`;
    return known.element;
  }
}
