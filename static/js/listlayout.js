/** How many rows on each side of a row are its neighbours. */
const neighbours = 2;

/**
 * Where the groups of a list and their rows stand, in pixels below its top, if all
 * rows are equally high. A row has an index over all groups, in reading order.
 */
export class ListLayout {
  #sizes;
  #groups;
  #tops = []; // of the groups
  #starts = []; // the index of each group's first row

  /** How many rows there are. */
  count = 0;

  /** The height of everything. */
  height = 0;

  /**
   * @param {{rows: {key: string}[]}[]} groups
   * @param {{row: number, before: number, after: number, gap: number}} sizes heights: of
   * a row, of what a group has before and after its rows, and between two groups
   */
  constructor(groups, sizes) {
    this.#groups = groups;
    this.#sizes = sizes;
    for (const group of groups) {
      this.#tops.push(this.height);
      this.#starts.push(this.count);
      this.height += this.#heightOf(group) + sizes.gap;
      this.count += group.rows.length;
    }
    this.height = Math.max(0, this.height - sizes.gap);
  }

  /** The top of a group. */
  topOfGroup(group) {
    return this.#tops[group];
  }

  /** The top of the row with an index. */
  topOfRow(index) {
    const { group, row } = this.at(index);
    return this.#tops[group] + this.#sizes.before + row * this.#sizes.row;
  }

  /** The group and place in it of the row with an index. */
  at(index) {
    const group = lastWhere(this.#starts, (start) => start <= index);
    return { group, row: index - this.#starts[group] };
  }

  /** The index of the row with a key, -1 if there is none. */
  indexOf(key) {
    for (let group = 0; group < this.#groups.length; group++) {
      const row = this.#groups[group].rows.findIndex((r) => r.key === key);
      if (row >= 0) {
        return this.#starts[group] + row;
      }
    }
    return -1;
  }

  /** The index of the first row that ends below y, -1 if none does. */
  rowAt(y) {
    for (let group = Math.max(0, this.#groupAt(y)); group < this.#groups.length; group++) {
      const [first, end] = this.#rowsBetween(group, y, Infinity);
      if (first < end) {
        return this.#starts[group] + first;
      }
    }
    return -1;
  }

  /**
   * The groups that stand between two heights, in order, each with the places of its
   * rows there: {group, places}. Those of the row with an index, if it is not -1, and
   * of its neighbours are among them, wherever they stand.
   */
  between(from, to, index = -1) {
    const parts = new Map();
    for (let group = Math.max(0, this.#groupAt(from)); group < this.#tops.length && this.#tops[group] < to; group++) {
      parts.set(group, new Set(range(...this.#rowsBetween(group, from, to))));
    }
    if (index >= 0) {
      const { group, row } = this.at(index);
      const beside = range(Math.max(0, row - neighbours), Math.min(this.#groups[group].rows.length, row + neighbours + 1));
      parts.set(group, new Set([...parts.get(group) ?? [], ...beside]));
    }
    return [...parts].sort(([a], [b]) => a - b).map(([group, places]) => ({ group, places: [...places].sort((a, b) => a - b) }));
  }

  #groupAt(y) {
    return lastWhere(this.#tops, (top) => top <= y);
  }

  /** The place of a group's first row between two heights, and of the one after its last. */
  #rowsBetween(group, from, to) {
    const { length } = this.#groups[group].rows;
    const top = this.#tops[group] + this.#sizes.before;
    const place = (y, round) => Math.min(length, Math.max(0, round((y - top) / this.#sizes.row)));
    return [place(from, Math.floor), place(to, Math.ceil)];
  }

  #heightOf({ rows }) {
    const { before, row, after } = this.#sizes;
    return before + rows.length * row + (rows.length > 0 ? after : 0);
  }
}

/** The last place in a sorted list whose value passes a test that all values before it pass too; -1 if none does. */
function lastWhere(list, test) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(list[middle])) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low - 1;
}

function range(first, end) {
  return Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i);
}
