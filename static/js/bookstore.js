import { BookChunks } from './bookchunks.js';
import { keptName } from './base.js';

const chunksTable = 'chunks';
const metaTable = 'meta';
const metaKey = 'book';

/** Milliseconds that a whole book waits at most to be written. */
const longestWait = 1_000;

/** The version of the tables. What an earlier one has is loaded anew. */
const version = 2;

/**
 * The rows of one user in IndexedDB, a database for each user, in chunks, with the
 * position in the server's log up to which they are complete.
 *
 *  - Rows and position change in one transaction: a page that is killed leaves a book
 *    that a later one goes on with.
 *  - Of several tabs one writes, which holds a lock while it is open: a slower tab
 *    cannot put an older row over a newer one. The next writer gets `writer` and
 *    replaces everything, since it has missed what it did not write itself.
 *  - Where the browser refuses IndexedDB, or it is full, nothing is kept any more, and
 *    the page goes on with what it has in memory.
 *
 * Events: `writer`.
 */
export class BookStore extends EventTarget {
  #name;
  #factory;
  #locks;
  #db = null;
  #chunks = new BookChunks(); // as they are in the database once all is written
  #writes = false;
  #unsaved = null; // changes that are written next: {changes: id to row, or null if it is gone; position, at}
  #last = Promise.resolve();
  #close = () => {};
  #closed = new Promise((resolve) => { this.#close = resolve; });
  #isClosed = false;

  /** @param {{userId: string, factory?: IDBFactory, locks?: LockManager}} options */
  constructor({ userId, factory = browserDatabases(), locks = globalThis.navigator?.locks }) {
    super();
    this.#name = databaseName(userId);
    this.#factory = factory;
    this.#locks = locks;
  }

  /** What is kept: {rows, position, at}; null if there is nothing. */
  async read() {
    try {
      this.#db = await openDatabase(this.#factory, this.#name, () => this.close());
      if (this.#isClosed) {
        this.#db.close();
        return null;
      }
      await this.#becomeWriter();
      const { texts, meta } = await readAll(this.#db);
      this.#chunks = new BookChunks(meta?.position ? texts : []);
      return meta?.position ? { rows: this.#chunks.rows(), ...meta } : null;
    } catch {
      this.close();
      return null;
    }
  }

  /**
   * Keeps changed rows and drops the ones that are gone; position is null if it is as
   * before. What comes while another write is under way is written together.
   */
  save({ rows = [], gone = [], position = null, at }) {
    if (!this.#writes) {
      return;
    }
    const batch = this.#unsaved ?? this.#newBatch();
    rows.forEach((row) => batch.changes.set(row._id, row));
    gone.forEach((id) => batch.changes.set(id, null));
    Object.assign(batch, { position: position ?? batch.position, at });
  }

  #newBatch() {
    const batch = { changes: new Map(), position: null, at: null };
    this.#unsaved = batch;
    this.#write((tables) => this.#writeBatch(tables, batch));
    return batch;
  }

  async #writeBatch(tables, batch) {
    const { changes, position, at } = batch;
    this.#unsaved = this.#unsaved === batch ? null : this.#unsaved; // what comes from now on is written next
    changes.forEach((row, id) => (row ? this.#chunks.set(row) : this.#chunks.delete(id)));
    await this.#writeChunks(tables);
    const known = await done(tables.meta.get(metaKey));
    tables.meta.put({ position: position ?? known?.position ?? null, at }, metaKey);
  }

  /** Keeps these rows and no others, once the browser has nothing else to do: they are to be shown first. */
  replace({ rows, position, at }) {
    this.#unsaved = null; // what comes from now on is written after it
    this.#last = this.#last.then(idle);
    this.#write(async (tables) => {
      tables.chunks.clear();
      this.#chunks.replace(rows);
      await this.#writeChunks(tables);
      tables.meta.put({ position, at }, metaKey);
    });
  }

  // One after the other, so that other work gets its turn.
  async #writeChunks(tables) {
    for (const number of this.#chunks.takeChanged()) {
      await done(tables.chunks.put(this.#chunks.text(number), number));
    }
  }

  /** Settles when everything given so far is written. */
  written() {
    return this.#last;
  }

  /** Writes nothing from now on. */
  close() {
    this.#isClosed = true;
    this.#writes = false;
    this.#db?.close();
    this.#close();
  }

  // One after the other, in the order in which they were given.
  #write(work) {
    if (this.#writes) {
      this.#last = this.#last.then(() => this.#writes && this.#transaction(work)).catch(() => this.close());
    }
  }

  async #transaction(work) {
    const tx = this.#db.transaction([chunksTable, metaTable], 'readwrite');
    const ended = committed(tx);
    work({ chunks: tx.objectStore(chunksTable), meta: tx.objectStore(metaTable) }).catch(() => tx.abort());
    await ended;
  }

  // Becomes the writer now if no other tab is, else when that one is closed.
  async #becomeWriter() {
    if (!this.#locks) {
      this.#writes = true;
      return;
    }
    await new Promise((resolve) => {
      this.#hold({ ifAvailable: true }, (lock) => { this.#writes = Boolean(lock); resolve(); });
    });
    if (!this.#writes) {
      this.#hold({}, () => this.#takeOver());
    }
  }

  #hold(options, start) {
    this.#locks.request(`${this.#name}.writer`, options, (lock) => {
      start(lock);
      return lock && this.#closed;
    }).catch(() => {}); // the page is being closed
  }

  #takeOver() {
    if (!this.#isClosed) {
      this.#writes = true;
      this.dispatchEvent(new Event('writer'));
    }
  }
}

/** Removes the book of a user; a tab that has it open lets go of it. */
export function removeBook(userId, factory = browserDatabases()) {
  factory?.deleteDatabase(databaseName(userId));
}

/** Removes the books of all users but one; of all, without one. */
export async function removeBooksOfOthers(userId, factory = browserDatabases()) {
  const all = await factory?.databases?.().catch(() => []) ?? [];
  all.map(({ name }) => name).filter((name) => name.startsWith(databaseName('')) && name !== databaseName(userId))
    .forEach((name) => factory.deleteDatabase(name));
}

function databaseName(userId) {
  return keptName(`expenseflow.${userId}`);
}

// A policy may forbid even to ask.
function browserDatabases() {
  try {
    return globalThis.indexedDB;
  } catch {
    return undefined;
  }
}

async function openDatabase(factory, name, takenAway) {
  const request = factory.open(name, version);
  request.onupgradeneeded = () => {
    [...request.result.objectStoreNames].forEach((table) => request.result.deleteObjectStore(table));
    [chunksTable, metaTable].forEach((table) => request.result.createObjectStore(table));
  };
  const db = await done(request);
  db.onversionchange = takenAway;
  db.onclose = takenAway;
  return db;
}

async function readAll(db) {
  const tx = db.transaction([chunksTable, metaTable], 'readonly');
  const [texts, meta] = await Promise.all([done(tx.objectStore(chunksTable).getAll()), done(tx.objectStore(metaTable).get(metaKey))]);
  return { texts, meta };
}

function idle() {
  return new Promise((resolve) => {
    globalThis.requestIdleCallback ? requestIdleCallback(resolve, { timeout: longestWait }) : setTimeout(resolve);
  });
}

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function committed(tx) {
  return new Promise((resolve, reject) => {
    tx.oncomplete = resolve;
    tx.onabort = () => reject(tx.error);
  });
}
