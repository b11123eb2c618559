import { dayOfRow } from './days.js';
import { isTemporary } from './queue.js';
import { isForeign } from './rights.js';

/** How many rows are kept for a start without a server. */
const keptRows = 300;

/**
 * What the page shows: the expenses the server is known to have, and over them
 * the operations that still wait in the queue.
 *
 *  - A change is taken in as often as it comes, in any order: the newer version
 *    wins, and what is deleted stays deleted (the server gives no id twice),
 *    except what others share: that may be taken away and given again.
 *  - While the list is being loaded, changes are also kept aside and taken in
 *    again after it, since the list may be older than they are.
 *  - While a new expense of this device waits for its answer, the event that
 *    announces it is held back: only the answer tells which row it is.
 */
export class Book extends EventTarget {
  #queue;
  #deviceId;
  #storage;
  #cacheKey;
  #expenses = new Map();
  #rows = null; // what rows gave last; null once anything has changed
  #gone = new Set();
  #held = [];
  #aside = null;
  #keys = new Map(); // the server's id to the temporary id under which a row was first shown
  #ids = new Map(); // and back

  /** Whether the list was loaded from the server since the page was opened. */
  loaded = false;

  /** @param {{queue, storage, userId: string, deviceId: string}} options */
  constructor({ queue, storage, userId, deviceId }) {
    super();
    this.#queue = queue;
    this.#deviceId = deviceId;
    this.#storage = storage;
    this.#cacheKey = cacheKey(userId);
    this.#recall();
    queue.addEventListener('change', () => this.#queueChanged());
  }

  /**
   * The rows to show, newest first. Each has the fields of its expense, a `key`
   * that stays the same when a temporary id becomes a real one, and `pending`:
   * the action that waits for the server, or null.
   */
  rows() {
    this.#rows ??= this.#layOut();
    return this.#rows;
  }

  #layOut() {
    const shown = new Map();
    this.#expenses.forEach((e, id) => shown.set(id, { ...e, id, key: this.#keys.get(id) ?? id, pending: null }));
    this.#queue.open().forEach((op) => lay(op, shown));
    return [...shown.values()].sort(newestFirst);
  }

  /** The id an expense has now; a temporary id may have become a real one. */
  currentId(id) {
    return this.#ids.get(id) ?? id;
  }

  /** Takes in an event of the server: kind is created, updated, deleted or shared. */
  note(change) {
    this.#aside?.push(change);
    if (this.#isOwnUnanswered(change)) {
      this.#held.push(change);
      return;
    }
    this.#apply(change);
    this.#changed();
  }

  /** Takes in what a batch did. */
  settled(outcomes) {
    for (const { op, ok, expense } of outcomes) {
      if (ok && expense?._id) {
        this.#settleOne(op, expense);
      } else if (ok && op.action !== 'CREATE') {
        this.#forget(op.resourceId);
      }
    }
    this.#release();
    this.#changed();
  }

  /** Runs fetch and shows the list that it gives instead of the present one. */
  async load(fetch) {
    this.#aside = [];
    try {
      const list = await fetch();
      list.filter(isForeign).forEach((e) => this.#gone.delete(e._id));
      this.#expenses = new Map(list.filter((e) => !this.#gone.has(e._id)).map((e) => [e._id, e]));
      this.#aside.forEach((change) => this.#apply(change));
      this.loaded = true;
    } finally {
      this.#aside = null;
    }
    this.#changed();
  }

  #settleOne(op, expense) {
    const change = { kind: op.action === 'DELETE' ? 'deleted' : 'updated', id: expense._id, expense };
    if (op.action === 'CREATE') {
      this.#keys.set(expense._id, op.resourceId);
      this.#ids.set(op.resourceId, expense._id);
    }
    this.#aside?.push(change);
    this.#apply(change);
  }

  #isOwnUnanswered({ kind, deviceId }) {
    return kind === 'created' && deviceId === this.#deviceId
      && this.#queue.open().some((op) => op.sent && op.action === 'CREATE');
  }

  #apply({ kind, id, expense }) {
    if (kind === 'created' && isForeign(expense)) {
      this.#gone.delete(id);
    }
    if (kind === 'deleted') {
      this.#forget(id);
    } else if (kind === 'shared') {
      this.#count(id, expense.shared);
    } else if (!this.#gone.has(id) && isNewer(expense, this.#expenses.get(id))) {
      const { deviceId, ...row } = expense;
      this.#expenses.set(id, row);
    }
  }

  // With how many others an own expense is shared is no change of the expense.
  #count(id, shared) {
    const known = this.#expenses.get(id);
    if (known) {
      this.#expenses.set(id, { ...known, shared });
    }
  }

  #forget(id) {
    this.#expenses.delete(id);
    this.#gone.add(id);
  }

  #release() {
    const held = this.#held;
    this.#held = [];
    held.forEach((change) => this.note(change));
  }

  #queueChanged() {
    if (this.#held.length > 0) {
      this.#release();
    }
    this.#changed();
  }

  /** Lays the rows out anew: another day has begun, or the account counts otherwise. */
  recount() {
    this.#changed();
  }

  #changed() {
    this.#rows = null;
    this.dispatchEvent(new Event('change'));
  }

  /** Keeps the newest rows for a start without a server. */
  remember() {
    const newest = [...this.#expenses.values()].sort(newestFirst).slice(0, keptRows);
    this.#storage.cache(this.#cacheKey, newest);
  }

  #recall() {
    for (const e of this.#storage.get(this.#cacheKey) ?? []) {
      this.#expenses.set(e._id, e);
    }
  }
}

/** Removes the rows that were kept of a user. */
export function forgetRows(storage, userId) {
  storage.remove(cacheKey(userId));
}

/** Removes the rows and settings that were kept of everybody but one user; of everybody, without one. */
export function forgetOthers(storage, userId = null) {
  const own = `expenseflow.${userId}.`;
  storage.keys('expenseflow.').filter((key) => /\.(rows|settings)$/.test(key) && !key.startsWith(own)).forEach((key) => storage.remove(key));
}

function cacheKey(userId) {
  return `expenseflow.${userId}.rows`;
}

function lay(op, shown) {
  const id = op.resourceId;
  if (op.action === 'CREATE') {
    shown.set(id, { ...op.data, id, key: id, pending: 'CREATE' });
  } else if (shown.has(id)) {
    const row = shown.get(id);
    const { version, ...fields } = op.data ?? {};
    const stillNew = row.pending === 'CREATE' && op.action === 'UPDATE';
    shown.set(id, { ...row, ...fields, pending: stillNew ? 'CREATE' : op.action });
  }
}

function isNewer(expense, stored) {
  if (!stored) {
    return true;
  }
  if (Number.isFinite(expense.version) && Number.isFinite(stored.version)) {
    return expense.version >= stored.version;
  }
  return (expense.updatedAt ?? '') >= (stored.updatedAt ?? '');
}

function newestFirst(a, b) {
  return compare(dayOfRow(b), dayOfRow(a)) || Date.parse(b.date) - Date.parse(a.date) || rank(b) - rank(a) || (idOf(a) < idOf(b) ? 1 : -1);
}

function compare(a, b) {
  return a < b ? -1 : Number(a > b);
}

// Of rows with the same date, those that wait stand first: they are the newest.
function rank(row) {
  return isTemporary(idOf(row)) ? 1 : 0;
}

function idOf(row) {
  return row.id ?? row._id;
}
