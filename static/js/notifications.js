import { soon } from './dom.js';

/** How many notifications are loaded at once. */
export const pageSize = 20;

/** Milliseconds after the unread count has changed until the list is read again. */
const pause = 200;

/**
 * The user's notifications, newest first.
 *
 *  - The server sends the unread count with every change of it.
 *  - A notification that comes as an event and in the list is listed once.
 *  - Other devices mark and delete too: when the count changes and the list is
 *    open, its loaded pages are read again.
 *
 * Events: `change`.
 */
export class Notifications extends EventTarget {
  #api;
  #pages = 1;
  #open = false;
  #generation = 0;

  /** Newest first: {id, title, message, type, priority, timestamp, read}. */
  list = [];

  /** How many are unread; there may be more than are listed. */
  unread = 0;

  /** Whether there are older ones that are not listed. */
  more = false;

  /** Whether the list was loaded since it was opened. */
  loaded = false;

  /** The error of the last request, or null. */
  error = null;

  #readSoon = soon(() => this.#open && this.#read(), pause);

  constructor(api) {
    super();
    this.#api = api;
  }

  /** Adds a notification that the server sent. */
  add(notification) {
    this.list = [notification, ...this.list.filter((n) => n.id !== notification.id)].sort(newestFirst);
    this.#changed();
  }

  /** Sets the unread count. */
  setUnread({ count }) {
    this.unread = count;
    this.#readSoon();
    this.#changed();
  }

  /** Keeps the list up to date while it is open. */
  async setOpen(open) {
    this.#open = open;
    if (open) {
      this.#pages = 1;
      await this.#read();
    }
  }

  /** Loads one more page. */
  async loadOlder() {
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
    const generation = ++this.#generation;
    try {
      const pages = await Promise.all(Array.from({ length: this.#pages }, (_, i) => this.#api.notifications(i + 1, pageSize)));
      if (generation !== this.#generation) {
        return; // a newer request was started
      }
      this.#show(pages);
    } catch (err) {
      this.error = err;
    }
    this.#changed();
  }

  #show(pages) {
    const byId = new Map(pages.flatMap((p) => p.notifications).map((n) => [n.id, n]));
    this.list = [...byId.values()].sort(newestFirst);
    this.more = pages[0].pagination.pages > this.#pages;
    this.loaded = true;
    this.error = null;
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

function newestFirst(a, b) {
  return Date.parse(b.timestamp) - Date.parse(a.timestamp) || (a.id < b.id ? 1 : -1);
}
