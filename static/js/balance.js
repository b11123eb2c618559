import { micros } from './numbers.js';
import { totals } from './totals.js';

/**
 * What is left over of everything, in millionths, per currency.
 *
 *  - The server's word counts: it tells the balance with every change, whichever
 *    device made it.
 *  - While changes wait here, the rows on the page know more than the server
 *    does, and they do until it tells the balance anew.
 */
export class Balance extends EventTarget {
  #book;
  #queue;
  #home;
  #told = null; // what the server said last: sums as totals gives them
  #ahead = false; // whether the rows have known more since

  /** @param {{book, queue, home: () => string}} options home gives the account's currency */
  constructor({ book, queue, home }) {
    super();
    this.#book = book;
    this.#queue = queue;
    this.#home = home;
    queue.addEventListener('change', () => { this.#ahead ||= this.#waiting(); });
    book.addEventListener('change', () => this.#changed());
  }

  /** Takes in what the server tells. */
  tell({ balance, income = 0, expense = 0, byCurrency = [] }) {
    const others = byCurrency.map((c) => ({ currency: c.currency, isHome: false, balance: micros(c.balance) }));
    const isEmpty = others.length > 0 && balance === 0 && income === 0 && expense === 0;
    this.#told = isEmpty ? others : [{ isHome: true, balance: micros(balance) }, ...others];
    this.#ahead = this.#waiting();
    this.#changed();
  }

  /** The balance of each currency, the account's first; at least one. */
  sums() {
    const known = totals(this.#book.rows(), { home: this.#home() });
    const name = known.find((s) => s.isHome)?.currency ?? '';
    const isTold = this.#told && !this.#ahead && !this.#waiting();
    const sums = (isTold ? this.#told : known).map((s) => ({ currency: s.isHome ? name : s.currency, balance: s.balance }));
    return sums.length > 0 ? sums : [{ currency: '', balance: 0n }];
  }

  #waiting() {
    return this.#queue.open().length > 0;
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
