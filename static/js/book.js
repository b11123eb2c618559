import { isNewer, renamed, withDevice } from './bookrow.js';
import { isForeign } from './permissions.js';

/** Milliseconds from the moment of an expense to the midnight in UTC of its day, at most: more than any time zone is ahead. */
const farthestDay = 16 * 3_600_000;

/**
 * The expenses of one user as the server last told of them: all of them, kept in this
 * browser between visits.
 *
 *  - Events may come repeatedly and in any order: the newer version wins, and a
 *    deleted expense stays deleted (ids are not reused), except a shared one, whose
 *    share may be withdrawn and given again.
 *  - Events that arrive while the book is loaded are applied again after it, since
 *    what is loaded may be older.
 *  - `position` is a place in the server's log up to which nothing is missing. Only
 *    catchUp moves it; what events tell beyond it comes again and changes nothing.
 */
export class Book {
  #store;
  #now;
  #expenses = new Map();
  #deleted = new Set();
  #doubtful = new Set(); // ids known from a repeated answer alone, which may be older than their deletion
  #opened = null;
  #duringLoad = null;
  #touched = new Set();
  #toSave = { rows: new Map(), gone: new Set() };
  #arrivedTo = Infinity; // the moment to which everything has arrived, from the newest on, of a first book

  /** The place in the server's log up to which the book is complete; null while there is no book. */
  position = null;

  /** When the server was last heard of, in milliseconds; null if it never was. */
  at = null;

  /** Whether every expense is here, as of `at`. */
  complete = false;

  /** @param {{store?: import('./bookstore.js').BookStore, now?: () => number}} options without a store, it lasts as long as the page */
  constructor({ store = null, now = Date.now } = {}) {
    this.#store = store;
    this.#now = now;
    store?.addEventListener('writer', () => this.#keepAll());
  }

  /** Reads what this browser has kept, once; catchUp waits for it. */
  open() {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  async #open() {
    await this.#load(async () => {
      const kept = await this.#store?.read();
      if (kept) {
        this.#setAll(kept.rows);
        Object.assign(this, { position: kept.position, at: kept.at, complete: true });
      }
    });
    this.#save();
  }

  /** Whether all expenses of a day, YYYY-MM-DD, and of all later ones are here, as of `at`. */
  hasAllFrom(day) {
    return this.complete || Date.parse(day) > this.#arrivedTo + farthestDay;
  }

  /** The expense of an id, or undefined. */
  get(id) {
    return this.#expenses.get(id);
  }

  /** The ids of all expenses. */
  ids() { return [...this.#expenses.keys()]; }

  /** The ids of expenses that may have changed since it was called last. */
  takeTouched() {
    const touched = this.#touched;
    this.#touched = new Set();
    return touched;
  }

  /** Applies an event of the server; kind is created, updated, deleted or shared. */
  apply(change) {
    this.#duringLoad?.push(change);
    this.#apply(change);
    renamed(this.#expenses, change.expense?.sharedBy).forEach((row) => this.#set(row._id, row));
    this.heard();
  }

  /** Applies the server's answer to an operation; a repeated one is as old as the first attempt. */
  applyAnswer({ op, status, expense }) {
    const unknown = !this.#expenses.has(expense._id) && !this.#deleted.has(expense._id);
    if (status === 'duplicate' && unknown) {
      this.#doubtful.add(expense._id);
    }
    const kind = { CREATE: 'created', DELETE: 'deleted' }[op.action] ?? 'updated';
    this.apply({ kind, id: expense._id, expense: { ...expense, deviceId: op.deviceId } });
  }

  /** Takes out what an answer says is not there. */
  remove(id) {
    this.apply({ kind: 'deleted', id });
  }

  /**
   * Reads what is new. changesSince asks the server for a page of its log from a position on, or from null for everything
   * (GET /api/sync/changes), and calls its second argument with the newest expenses while others are still on their way.
   * changed is called after all that comes.
   */
  async catchUp(changesSince, changed = () => {}) {
    await this.open();
    await this.#load(async () => {
      for (let more = true; more;) {
        const page = await changesSince(this.position, (expenses) => this.#arrive(expenses) && changed());
        this.#applyPage(page);
        changed();
        more = page.more === true;
      }
      this.#dropDoubtful();
    });
    this.complete = true;
    this.#save();
  }

  /** Notes that the server was there just now, so that nothing is missing. */
  heard() {
    this.at = this.#now();
    this.#save();
  }

  /** Has the next catchUp read everything anew. */
  distrust() {
    this.position = null;
  }

  /** Keeps nothing from now on. */
  close() {
    this.#store?.close();
  }

  async #load(work) {
    this.#duringLoad = [];
    try {
      await work();
      this.#duringLoad.forEach((change) => this.#apply(change));
    } finally {
      this.#duringLoad = null;
    }
  }

  // Takes expenses that follow those that arrived before them, the newest first, if nothing is complete yet.
  #arrive(expenses) {
    if (this.complete) {
      return false;
    }
    const known = (e) => this.#expenses.get(e._id);
    expenses.filter((e) => !this.#deleted.has(e._id) && isNewer(e, known(e))).forEach((e) => this.#set(e._id, withDevice(e, known(e)?.device)));
    this.#arrivedTo = Math.min(this.#arrivedTo, Date.parse(expenses.at(-1).date));
    this.at = this.#now();
    return true;
  }

  #applyPage({ snapshot, expenses, changes, shared = [], next }) {
    this.position = next;
    this.at = this.#now();
    if (snapshot) {
      this.#doubtful.clear();
      expenses.filter(isForeign).forEach((e) => this.#deleted.delete(e._id));
      this.#setAll(expenses.filter((e) => !this.#deleted.has(e._id)));
      this.#keepAll();
      return;
    }
    changes.forEach(({ event, expense, deviceId }) => this.#apply({ kind: event.replace('expense_', ''), id: expense._id, expense: { ...expense, deviceId } }));
    shared.forEach((e) => this.#apply({ kind: 'shared', id: e._id, expense: e }));
    this.#save({ position: next });
  }

  #apply({ kind, id, expense }) {
    if (kind === 'created' && isForeign(expense)) {
      this.#deleted.delete(id);
    }
    if (kind === 'deleted') {
      this.#deleted.add(id);
      this.#drop(id);
    } else if (kind === 'shared') {
      this.#setShared(id, expense.shared);
    } else if (!this.#deleted.has(id) && isNewer(expense, this.#expenses.get(id))) {
      const { deviceId, ...row } = expense;
      this.#set(id, withDevice(row, kind === 'created' ? deviceId : this.#expenses.get(id)?.device));
    }
    if (this.#duringLoad) {
      this.#doubtful.delete(id);
    }
  }

  // The number of people an expense is shared with is not part of its version.
  #setShared(id, shared) {
    const known = this.#expenses.get(id);
    if (known) {
      this.#set(id, { ...known, shared });
    }
  }

  // What is not in the log any more was deleted before the position.
  #dropDoubtful() {
    this.#doubtful.forEach((id) => this.#drop(id));
    this.#doubtful.clear();
  }

  #set(id, row) {
    this.#expenses.set(id, row);
    this.#touched.add(id);
    this.#toSave.rows.set(id, row);
    this.#toSave.gone.delete(id);
  }

  #drop(id) {
    this.#expenses.delete(id);
    this.#touched.add(id);
    this.#toSave.rows.delete(id);
    this.#toSave.gone.add(id);
  }

  #setAll(rows) {
    const known = this.#expenses;
    this.#expenses = new Map(rows.map((e) => [e._id, withDevice(e, known.get(e._id)?.device)]));
    known.forEach((_, id) => this.#expenses.has(id) || this.#touched.add(id));
    this.#expenses.forEach((e, id) => known.get(id) === e || this.#touched.add(id)); // what had arrived is the same
  }

  // Doubtful rows are not kept: nobody would find out that they are gone.
  #save({ position = null } = {}) {
    const rows = [...this.#toSave.rows].filter(([id]) => !this.#doubtful.has(id)).map(([, row]) => row);
    const gone = [...this.#toSave.gone];
    if (this.position) {
      this.#store?.save({ rows, gone, position, at: this.at });
    }
    this.#toSave = { rows: new Map(), gone: new Set() };
  }

  #keepAll() {
    this.#toSave = { rows: new Map(), gone: new Set() };
    if (this.position) {
      this.#store?.replace({ rows: [...this.#expenses.values()], position: this.position, at: this.at });
    }
  }
}
