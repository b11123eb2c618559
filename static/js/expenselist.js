import { Book } from './book.js';
import { DaySums } from './daysums.js';
import { orderOf, SortedRows } from './sortedrows.js';

/**
 * The list of expenses: those of the book with the queued operations applied.
 *
 *  - What is asked for costs what has changed since, not how many rows there are.
 *  - While a new expense of this device waits for its answer, its event is held
 *    back: only the answer says which row it is.
 *
 * Events: `change`.
 */
export class ExpenseList extends EventTarget {
  #queue;
  #deviceId;
  #book;
  #rows = new Map(); // id to the row that is shown
  #sorted = new SortedRows();
  #sums = new DaySums();
  #waiting = new Map(); // id to its queued operations, oldest first
  #queueHasChanged = true;
  #stale = new Set(); // ids of rows to build again, besides those that the book tells of
  #heldBack = [];
  #keys = new Map(); // server id to the temporary id under which the row was first shown
  #ids = new Map(); // temporary id to server id

  /** Whether the list was loaded from the server since the page was opened. */
  loaded = false;

  /** @param {{queue, deviceId: string, book?: Book}} options without a book, it lasts as long as the page */
  constructor({ queue, deviceId, book = new Book() }) {
    super();
    this.#queue = queue;
    this.#deviceId = deviceId;
    this.#book = book;
    queue.addEventListener('change', () => this.#queueChanged());
  }

  /**
   * The rows to show, newest first; the same array while nothing changed, and the same
   * object for a row that neither changed nor waits. Each has the fields of its expense and
   *  - `id`: the expense's, or a temporary one until the server has it;
   *  - `key`, which stays the same when a temporary id becomes a real one;
   *  - `pending`: the action that waits for the server, or null;
   *  - `order`, by which they are sorted, descending; it begins with the day.
   */
  rows() {
    this.#settle();
    return this.#sorted.all;
  }

  /** The row of an id, which may be a temporary one, or undefined. */
  row(id) {
    this.#settle();
    return this.#rows.get(this.currentId(id));
  }

  /** The months that have rows, newest first: {month: 'YYYY-MM', start, count}; start is the index of the first row. */
  months() {
    this.#settle();
    return this.#sorted.months();
  }

  /** The index of the first row that is older than a day or month: `endOf(day)` ends its rows, and begins those before. */
  endOf(dayOrMonth) {
    this.#settle();
    return this.#sorted.endOf(dayOrMonth);
  }

  /** What the rows add up to by day; ask it at once, it changes with them. */
  sums() {
    this.#settle();
    return this.#sums;
  }

  /** Whether all of the account's expenses are here, as of `at`. */
  get complete() {
    return this.#book.complete;
  }

  /** Whether all expenses of a day, YYYY-MM-DD, and of all later ones are here, as of `at`. */
  hasAllFrom(day) {
    return this.#book.hasAllFrom(day);
  }

  /** When the server was last heard of, in milliseconds; null if it never was. */
  get at() {
    return this.#book.at;
  }

  /** The id an expense has now; a temporary id may have become a real one. */
  currentId(id) {
    return this.#ids.get(id) ?? id;
  }

  /** Reads what this browser has kept of an earlier visit. */
  async open() {
    await this.#book.open();
    this.#changed();
  }

  /** Applies an event of the server; kind is created, updated, deleted or shared. */
  applyEvent(change) {
    if (this.#isOwnUnanswered(change)) {
      this.#heldBack.push(change);
      return;
    }
    this.#book.apply(change);
    this.#changed();
  }

  /** Applies the outcomes of a batch. */
  applyOutcomes(outcomes) {
    for (const outcome of outcomes.filter((o) => o.ok)) {
      this.#applyOutcome(outcome);
    }
    this.#applyHeldBack();
    this.#changed();
  }

  /** Reads from the server what is new; changesSince is as Book.catchUp takes it. */
  async catchUp(changesSince) {
    await this.#book.catchUp(changesSince, () => this.#changed());
    this.loaded = true;
    this.#changed();
  }

  /** Notes that the connection has just ended: until now nothing was missed. */
  heard() {
    this.#book.heard();
  }

  /** Has the next catchUp read everything anew. */
  distrust() {
    this.#book.distrust();
  }

  /** Tells listeners that what rows amount to may have changed: another day has begun, or a setting is another. */
  invalidate() {
    for (const row of this.#rows.values()) {
      if (!row.day || !row.currency) {
        this.#stale.add(row.id); // without a day it is of that of its moment in the account's zone, without a currency in the account's
      }
    }
    this.#changed();
  }

  // Brings rows and sums up to date with book and queue.
  #settle() {
    this.#readQueue();
    const ids = this.#book.takeTouched();
    this.#stale.forEach((id) => ids.add(id));
    this.#stale.clear();
    const [gone, come] = [[], []];
    for (const id of ids) {
      this.#rows.has(id) && gone.push(this.#rows.get(id));
      this.#rows.delete(id);
      const row = this.#build(id);
      row && come.push(row) && this.#rows.set(id, row);
    }
    this.#sorted.replace(gone, come);
    gone.forEach((row) => this.#sums.remove(row));
    come.forEach((row) => this.#sums.add(row));
  }

  #build(id) {
    const expense = this.#book.get(id);
    const row = (this.#waiting.get(id) ?? []).reduce(applyOperation, expense && { ...expense, id, key: this.#keys.get(id) ?? id, pending: null });
    return row && Object.assign(row, { order: orderOf(row) });
  }

  #readQueue() {
    if (!this.#queueHasChanged) {
      return;
    }
    this.#queueHasChanged = false;
    const before = this.#waiting;
    this.#waiting = new Map();
    for (const op of this.#queue.pending()) {
      this.#waiting.set(op.resourceId, [...this.#waiting.get(op.resourceId) ?? [], op]);
    }
    [before, this.#waiting].forEach((waiting) => [...waiting.keys()].forEach((id) => this.#stale.add(id)));
  }

  #applyOutcome(outcome) {
    const { op, expense } = outcome;
    if (!expense?._id) {
      op.action === 'CREATE' || this.#book.remove(op.resourceId);
      return;
    }
    if (op.action === 'CREATE') {
      this.#keys.set(expense._id, op.resourceId);
      this.#ids.set(op.resourceId, expense._id);
      this.#stale.add(expense._id);
    }
    this.#book.applyAnswer(outcome);
  }

  #isOwnUnanswered({ kind, deviceId }) {
    if (kind !== 'created' || deviceId !== this.#deviceId) {
      return false;
    }
    this.#readQueue();
    return [...this.#waiting.values()].some((ops) => ops.some((op) => op.sent && op.action === 'CREATE'));
  }

  #applyHeldBack() {
    const heldBack = this.#heldBack;
    this.#heldBack = [];
    heldBack.forEach((change) => this.applyEvent(change));
  }

  #queueChanged() {
    this.#queueHasChanged = true;
    if (this.#heldBack.length > 0) {
      this.#applyHeldBack();
    }
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

function applyOperation(row, { action, resourceId, data, deviceId }) {
  if (action === 'CREATE') {
    return { ...data, device: deviceId, id: resourceId, key: resourceId, pending: 'CREATE' };
  }
  if (!row) {
    return row;
  }
  const { version, ...fields } = data ?? {};
  const stillNew = row.pending === 'CREATE' && action === 'UPDATE';
  return { ...row, ...fields, pending: stillNew ? 'CREATE' : action };
}
