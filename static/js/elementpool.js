/** How many that nobody uses are kept for the next key. */
const mostSpare = 200;

/**
 * Things with an `element`, one for each key. One whose key is gone is used again for
 * another key, since making elements takes longest. For new keys it is
 * first keepOnly, then of, for each in reading order, then settle.
 */
export class ElementPool {
  #make;
  #used = new Map();
  #spare = [];

  /** @param {() => {element: Element}} make */
  constructor(make) {
    this.#make = make;
  }

  /** That of a key. */
  of(key) {
    if (!this.#used.has(key)) {
      this.#used.set(key, this.#spare.shift() ?? this.#make());
    }
    return this.#used.get(key);
  }

  /** All that have a key. */
  all() {
    return [...this.#used.values()];
  }

  /**
   * Gives up those of all other keys. They are taken out of the document, unless all
   * are given up: then they are likely to be used again where they are.
   */
  keepOnly(keys) {
    const gone = [...this.#used].filter(([key]) => !keys.has(key));
    const stay = gone.length === this.#used.size;
    for (const [key, item] of gone) {
      this.#used.delete(key);
      this.#spare.push(item);
      if (!stay) {
        item.element.remove();
      }
    }
  }

  /** Takes what was given up and not used again out of the document. */
  settle() {
    this.#spare.forEach(({ element }) => element.remove());
    this.#spare.splice(mostSpare);
  }
}
