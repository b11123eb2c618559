import { dayOfRow } from './days.js';
import { isTemporary } from './queue.js';
import { isForeign } from './permissions.js';

/** How many rows are cached for a start without a server. */
const cachedRows = 300;

/**
 * The list of expenses: those of the server with the queued operations applied.
 *
 *  - Events may come repeatedly and in any order: the newer version wins, and a
 *    deleted expense stays deleted (ids are not reused), except a shared one, whose
 *    share may be withdrawn and given again.
 *  - Events that arrive while the list is loaded are applied again after it, since
 *    the list may be older.
 *  - While a new expense of this device waits for its answer, its event is held
 *    back: only the answer says which row it is.
 */
export class ExpenseList extends EventTarget {
  #queue;
  #deviceId;
  #storage;
  #cacheKey;
  #expenses = new Map();
  #rows = null; // the last result of rows, or null after a change
  #deleted = new Set();
  #heldBack = [];
  #duringLoad = null;
  #keys = new Map(); // server id to the temporary id under which the row was first shown
  #ids = new Map(); // temporary id to server id

  /** Whether the list was loaded from the server since the page was opened. */
  loaded = false;

  /** @param {{queue, storage, userId: string, deviceId: string}} options */
  constructor({ queue, storage, userId, deviceId }) {
    super();
    this.#queue = queue;
    this.#deviceId = deviceId;
    this.#storage = storage;
    this.#cacheKey = cacheKey(userId);
    this.#restoreRows();
    queue.addEventListener('change', () => this.#queueChanged());
  }

  /**
   * The rows to show, newest first. Each has the fields of its expense, a `key`
   * that stays the same when a temporary id becomes a real one, and `pending`:
   * the action that waits for the server, or null.
   */
  rows() {
    this.#rows ??= this.#buildRows();
    return this.#rows;
  }

  #buildRows() {
    const shown = new Map();
    this.#expenses.forEach((e, id) => shown.set(id, { ...e, id, key: this.#keys.get(id) ?? id, pending: null }));
    this.#queue.pending().forEach((op) => applyOperation(op, shown));
    return [...shown.values()].sort(newestFirst);
  }

  /** The id an expense has now; a temporary id may have become a real one. */
  currentId(id) {
    return this.#ids.get(id) ?? id;
  }

  /** Applies an event of the server; kind is created, updated, deleted or shared. */
  applyEvent(change) {
    this.#duringLoad?.push(change);
    if (this.#isOwnUnanswered(change)) {
      this.#heldBack.push(change);
      return;
    }
    this.#apply(change);
    this.#changed();
  }

  /** Applies the outcomes of a batch. */
  applyOutcomes(outcomes) {
    for (const { op, ok, expense } of outcomes) {
      if (ok && expense?._id) {
        this.#applyOutcome(op, expense);
      } else if (ok && op.action !== 'CREATE') {
        this.#delete(op.resourceId);
      }
    }
    this.#applyHeldBack();
    this.#changed();
  }

  /** Replaces the list by the one that fetch returns. */
  async load(fetch) {
    this.#duringLoad = [];
    try {
      const list = await fetch();
      list.filter(isForeign).forEach((e) => this.#deleted.delete(e._id));
      this.#expenses = new Map(list.filter((e) => !this.#deleted.has(e._id)).map((e) => [e._id, e]));
      this.#duringLoad.forEach((change) => this.#apply(change));
      this.loaded = true;
    } finally {
      this.#duringLoad = null;
    }
    this.#changed();
  }

  #applyOutcome(op, expense) {
    const change = { kind: op.action === 'DELETE' ? 'deleted' : 'updated', id: expense._id, expense };
    if (op.action === 'CREATE') {
      this.#keys.set(expense._id, op.resourceId);
      this.#ids.set(op.resourceId, expense._id);
    }
    this.#duringLoad?.push(change);
    this.#apply(change);
  }

  #isOwnUnanswered({ kind, deviceId }) {
    return kind === 'created' && deviceId === this.#deviceId
      && this.#queue.pending().some((op) => op.sent && op.action === 'CREATE');
  }

  #apply({ kind, id, expense }) {
    if (kind === 'created' && isForeign(expense)) {
      this.#deleted.delete(id);
    }
    if (kind === 'deleted') {
      this.#delete(id);
    } else if (kind === 'shared') {
      this.#setShared(id, expense.shared);
    } else if (!this.#deleted.has(id) && isNewer(expense, this.#expenses.get(id))) {
      const { deviceId, ...row } = expense;
      this.#expenses.set(id, row);
    }
  }

  // The number of people an expense is shared with is not part of its version.
  #setShared(id, shared) {
    const known = this.#expenses.get(id);
    if (known) {
      this.#expenses.set(id, { ...known, shared });
    }
  }

  #delete(id) {
    this.#expenses.delete(id);
    this.#deleted.add(id);
  }

  #applyHeldBack() {
    const heldBack = this.#heldBack;
    this.#heldBack = [];
    heldBack.forEach((change) => this.applyEvent(change));
  }

  #queueChanged() {
    if (this.#heldBack.length > 0) {
      this.#applyHeldBack();
    }
    this.#changed();
  }

  /** Builds the rows again: another day has begun, or a setting has changed. */
  invalidate() {
    this.#changed();
  }

  #changed() {
    this.#rows = null;
    this.dispatchEvent(new Event('change'));
  }

  /** Caches the newest rows for a start without a server. */
  cacheRows() {
    const newest = [...this.#expenses.values()].sort(newestFirst).slice(0, cachedRows);
    this.#storage.cache(this.#cacheKey, newest);
  }

  #restoreRows() {
    for (const e of this.#storage.get(this.#cacheKey) ?? []) {
      this.#expenses.set(e._id, e);
    }
  }
}

/** Removes the cached rows of a user. */
export function removeCachedRows(storage, userId) {
  storage.remove(cacheKey(userId));
}

/** Removes the cached rows and settings of all users but one; of all, without one. */
export function removeCachesOfOthers(storage, userId = null) {
  const own = `expenseflow.${userId}.`;
  storage.keys('expenseflow.').filter((key) => /\.(rows|settings)$/.test(key) && !key.startsWith(own)).forEach((key) => storage.remove(key));
}

function cacheKey(userId) {
  return `expenseflow.${userId}.rows`;
}

function applyOperation(op, shown) {
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
  return compare(dayOfRow(b), dayOfRow(a)) || Date.parse(b.date) - Date.parse(a.date) || pendingRank(b) - pendingRank(a) || (idOf(a) < idOf(b) ? 1 : -1);
}

function compare(a, b) {
  return a < b ? -1 : Number(a > b);
}

// Of rows with the same date, pending ones come first: they are the newest.
function pendingRank(row) {
  return isTemporary(idOf(row)) ? 1 : 0;
}

function idOf(row) {
  return row.id ?? row._id;
}
