import { shift, today } from './days.js';
import { micros } from './numbers.js';
import { balanceOf, upcoming } from './totals.js';

/**
 * The balance per currency, in millionths: of everything until today.
 *
 *  - It is that of the rows, changes that wait included, so that list and balance agree.
 *  - Where the browser keeps no book and the server cannot be reached, it is the last one
 *    that the server told, which counts entries of days to come too.
 *  - While a first book is on its way, it is not known.
 */
export class Balance extends EventTarget {
  #expenseList;
  #live;
  #home;
  #keep;
  #now;
  #wasLive = false;
  #told; // the server's last balance, with the time; null if it is not known

  /** @param {{expenseList, live, home: () => string, keep?: {get, set}}} options home gives the account's currency; keep stores the server's last balance */
  constructor({ expenseList, live, home, keep = { get: () => null, set() {} }, now = Date.now }) {
    super();
    this.#expenseList = expenseList;
    this.#live = live;
    this.#home = home;
    this.#keep = keep;
    this.#now = now;
    this.#told = keep.get();
    expenseList.addEventListener('change', () => this.#changed());
    live.addEventListener('state', () => this.#connectionChanged());
  }

  /** Notes a balance sent by the server. */
  setFromServer({ balance, income = 0, expense = 0, currency = '', byCurrency = [] }) {
    this.#told = { balance, income, expense, currency, byCurrency, at: this.#now() };
    this.#keep.set(this.#told);
    this.#changed();
  }

  /** The server's last balance, or null. */
  get told() {
    return this.#told;
  }

  /** Whether the balance is known. */
  get known() {
    return this.#expenseList.complete || this.#isFromServer();
  }

  /** The balance of each currency, the account's first; at least one. */
  sums() {
    const sums = this.#isFromServer() ? toldSums(this.#told) : balanceOf(this.#expenseList.sums(), this.#options());
    return sums.length > 0 ? sums.map(({ currency, balance }) => ({ currency, balance })) : [{ currency: '', balance: 0n }];
  }

  /** What entries of days to come amount to, per currency; [] if there are none, or it is not known. */
  upcoming() {
    return !this.#expenseList.hasAllFrom(shift(today(this.#now()), 1)) ? [] : upcoming(this.#expenseList.sums(), this.#options());
  }

  /** As of when the balance is, in milliseconds; null if it is of this moment, or nothing is known. */
  get asOf() {
    return this.#live.connected ? null : (this.#isFromServer() ? this.#told.at : this.#expenseList.at);
  }

  #connectionChanged() {
    if (this.#wasLive && !this.#live.connected) {
      this.#expenseList.heard();
    }
    this.#wasLive = this.#live.connected;
    this.#changed();
  }

  #isFromServer() {
    return !this.#expenseList.complete && !this.#live.connected && this.#told !== null;
  }

  #options() {
    return { home: this.#home(), now: this.#now() };
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

function toldSums({ balance, income, expense, byCurrency }) {
  const others = byCurrency.map((c) => ({ currency: c.currency, balance: micros(c.balance) }));
  const isEmpty = others.length > 0 && balance === 0 && income === 0 && expense === 0;
  return isEmpty ? others : [{ currency: '', balance: micros(balance) }, ...others];
}
