import { micros } from './numbers.js';
import { totals } from './totals.js';

/**
 * What is left over of everything, in millionths.
 *
 *  - The server's word counts: it tells the balance with every change, whichever
 *    device made it.
 *  - While changes wait here, the rows on the page know more than the server
 *    does, and they do until it tells the balance anew.
 *  - The server adds numbers up whatever their currency. Where there is more
 *    than one, only the rows tell them apart.
 */
export class Balance extends EventTarget {
  #book;
  #queue;
  #told = null; // what the server said last
  #ahead = false; // whether the rows have known more since

  constructor({ book, queue }) {
    super();
    this.#book = book;
    this.#queue = queue;
    queue.addEventListener('change', () => { this.#ahead ||= this.#waiting(); });
    book.addEventListener('change', () => this.#changed());
  }

  /** Takes in what the server tells. */
  tell({ balance }) {
    this.#told = micros(balance);
    this.#ahead = this.#waiting();
    this.#changed();
  }

  /** The balance of each currency, the most used one first; at least one. */
  sums() {
    const sums = totals(this.#book.rows()).map(({ currency, balance }) => ({ currency, balance }));
    if (sums.length > 1 || (this.#told === null && sums.length > 0) || this.#ahead || this.#waiting()) {
      return sums.length > 0 ? sums : [{ currency: '', balance: 0n }];
    }
    return [{ currency: sums[0]?.currency ?? '', balance: this.#told ?? 0n }];
  }

  #waiting() {
    return this.#queue.open().length > 0;
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
