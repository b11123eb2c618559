import { soon } from './dom.js';

/** How many notifications are loaded at once. */
export const pageSize = 20;

/** Milliseconds after the count has moved until the list is read anew. */
const pause = 200;

/**
 * What the server has told this person, newest first.
 *
 *  - How many are unread is the server's word, told with every change of it.
 *  - A notification may come twice, as an event and in the list: it is there once.
 *  - Other devices read and delete too. They move the count, and then the list
 *    is read anew, as far as it was read, while somebody looks at it.
 *
 * Events: `change`.
 */
export class Notices extends EventTarget {
  #api;
  #pages = 1;
  #looking = false;
  #reading = 0;

  /** Newest first: {id, title, message, type, priority, timestamp, read}. */
  list = [];

  /** How many are unread; there may be more than are listed. */
  unread = 0;

  /** Whether there are older ones that are not listed. */
  more = false;

  /** Whether the list was loaded since it was opened. */
  loaded = false;

  /** The error that the last reading ended with, or null. */
  trouble = null;

  #readSoon = soon(() => this.#looking && this.#read(), pause);

  constructor(api) {
    super();
    this.#api = api;
  }

  /** Takes in a notification that the server sends. */
  note(notification) {
    this.list = [notification, ...this.list.filter((n) => n.id !== notification.id)].sort(newestFirst);
    this.#changed();
  }

  /** Takes in how many are unread. */
  tell({ count }) {
    this.unread = count;
    this.#readSoon();
    this.#changed();
  }

  /** Starts or stops to keep the list up to date. */
  async look(looking) {
    this.#looking = looking;
    if (looking) {
      this.#pages = 1;
      await this.#read();
    }
  }

  /** Loads older ones too. */
  async older() {
    this.#pages++;
    await this.#read();
  }

  async markRead(id) {
    await this.#api.markRead(id);
    this.#replace((n) => (n.id === id ? { ...n, read: true } : n));
  }

  async markAllRead() {
    await this.#api.markAllRead();
    this.#replace((n) => ({ ...n, read: true }));
  }

  async remove(id) {
    await this.#api.deleteNotification(id);
    this.list = this.list.filter((n) => n.id !== id);
    this.#readSoon();
    this.#changed();
  }

  #replace(change) {
    this.list = this.list.map(change);
    this.#changed();
  }

  async #read() {
    const reading = ++this.#reading;
    try {
      const pages = await Promise.all(Array.from({ length: this.#pages }, (_, i) => this.#api.notifications(i + 1, pageSize)));
      if (reading !== this.#reading) {
        return; // a newer reading is under way, or done
      }
      this.#take(pages);
    } catch (err) {
      this.trouble = err;
    }
    this.#changed();
  }

  #take(pages) {
    const byId = new Map(pages.flatMap((p) => p.notifications).map((n) => [n.id, n]));
    this.list = [...byId.values()].sort(newestFirst);
    this.more = pages[0].pagination.pages > this.#pages;
    this.loaded = true;
    this.trouble = null;
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

function newestFirst(a, b) {
  return Date.parse(b.timestamp) - Date.parse(a.timestamp) || (a.id < b.id ? 1 : -1);
}
