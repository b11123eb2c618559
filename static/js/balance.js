import { micros } from './numbers.js';
import { balanceOf } from './totals.js';

/**
 * The balance per currency, in millionths.
 *
 *  - The server sends it with every change, whichever device made it.
 *  - While changes are queued here the local rows are newer, until the server
 *    sends the balance again.
 */
export class Balance extends EventTarget {
  #expenseList;
  #queue;
  #home;
  #fromServer = null; // the server's last balance, as totals returns sums
  #localIsNewer = false; // whether changes were queued since

  /** @param {{expenseList, queue, home: () => string}} options home gives the account's currency */
  constructor({ expenseList, queue, home }) {
    super();
    this.#expenseList = expenseList;
    this.#queue = queue;
    this.#home = home;
    queue.addEventListener('change', () => { this.#localIsNewer ||= this.#waiting(); });
    expenseList.addEventListener('change', () => this.#changed());
  }

  /** Applies a balance sent by the server. */
  setFromServer({ balance, income = 0, expense = 0, byCurrency = [] }) {
    const others = byCurrency.map((c) => ({ currency: c.currency, isHome: false, balance: micros(c.balance) }));
    const isEmpty = others.length > 0 && balance === 0 && income === 0 && expense === 0;
    this.#fromServer = isEmpty ? others : [{ isHome: true, balance: micros(balance) }, ...others];
    this.#localIsNewer = this.#waiting();
    this.#changed();
  }

  /** The balance of each currency, the account's first; at least one. */
  sums() {
    const known = balanceOf(this.#expenseList.sums(), { home: this.#home() });
    const name = known.find((s) => s.isHome)?.currency ?? '';
    const isCurrent = this.#fromServer && !this.#localIsNewer && !this.#waiting();
    const sums = (isCurrent ? this.#fromServer : known).map((s) => ({ currency: s.isHome ? name : s.currency, balance: s.balance }));
    return sums.length > 0 ? sums : [{ currency: '', balance: 0n }];
  }

  #waiting() {
    return this.#queue.pending().length > 0;
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
