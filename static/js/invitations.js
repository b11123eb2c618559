import { soon } from './dom.js';

/** Milliseconds after an event of the server until the lists are read again. */
const pause = 100;

/**
 * Invitations to shared expenses, and the people whom this user blocks. The server
 * sends an event when either has changed; then both are read again.
 *
 * Events: `change`; `received` with the `invitation` that has just arrived; `closed` with the
 * `id` of one that waits no longer.
 */
export class Invitations extends EventTarget {
  #api;
  #readSoon = soon(() => this.read(), pause);

  /** {id, expenseId, from, role, description, createdAt}, the newest first. */
  waiting = [];

  /** Whether they were read. */
  loaded = false;

  /** {id, name, blockedAt}, by name. */
  blocked = [];

  /** The error of the last request, or null. */
  error = null;

  constructor({ api, live }) {
    super();
    this.#api = api;
    live.addEventListener('resync', () => this.#readSoon());
    live.listen('invitation:received', (invitation) => {
      this.dispatchEvent(Object.assign(new Event('received'), { invitation }));
      this.#readSoon();
    });
    live.listen('invitation:closed', ({ id }) => this.#drop(id));
    ['person:blocked', 'person:unblocked'].forEach((event) => live.listen(event, () => this.#readSoon()));
  }

  async read() {
    try {
      const [waiting, blocked] = await Promise.all([this.#api.invitations(), this.#api.blocked()]);
      Object.assign(this, { blocked, loaded: true, error: null });
      this.#wait(waiting);
    } catch (err) {
      this.error = err;
    }
    this.dispatchEvent(new Event('change'));
  }

  /** Accepts an invitation. */
  async accept(id) {
    await this.#api.acceptInvitation(id);
    this.#drop(id);
  }

  /** Declines an invitation; its sender is not told. */
  async decline(id) {
    await this.#api.declineInvitation(id);
    this.#drop(id);
  }

  /** Declines all invitations of a user, present and future ones. */
  async block(userId) {
    await this.#api.block(userId);
    await this.read();
  }

  async unblock(userId) {
    await this.#api.unblock(userId);
    await this.read();
  }

  #drop(id) {
    this.#wait(this.waiting.filter((i) => i.id !== id), [id]);
    this.dispatchEvent(new Event('change'));
  }

  #wait(waiting, closed = this.waiting.map(({ id }) => id)) {
    this.waiting = waiting;
    const ids = new Set(waiting.map(({ id }) => id));
    closed.filter((id) => !ids.has(id)).forEach((id) => this.dispatchEvent(Object.assign(new Event('closed'), { id })));
  }
}
