import { soon } from './dom.js';

/** Milliseconds after a word of the server until the lists are read anew. */
const pause = 100;

/**
 * What others offer to share with this person, and whom this person blocks. The
 * server says when either has changed; then both are read anew.
 *
 * Events: `change`; `asked` with the `invitation` that has just arrived.
 */
export class Invitations extends EventTarget {
  #api;
  #readSoon = soon(() => this.read(), pause);

  /** {id, expenseId, from, role, description, createdAt}, the newest first. */
  waiting = [];

  /** {id, name, blockedAt}, by name. */
  blocked = [];

  /** The error that the last reading ended with, or null. */
  trouble = null;

  constructor({ api, live }) {
    super();
    this.#api = api;
    live.addEventListener('fresh', () => this.#readSoon());
    live.listen('invitation:received', (invitation) => {
      this.dispatchEvent(Object.assign(new Event('asked'), { invitation }));
      this.#readSoon();
    });
    live.listen('invitation:closed', ({ id }) => this.#drop(id));
    ['person:blocked', 'person:unblocked'].forEach((event) => live.listen(event, () => this.#readSoon()));
  }

  async read() {
    try {
      const [waiting, blocked] = await Promise.all([this.#api.invitations(), this.#api.blocked()]);
      Object.assign(this, { waiting, blocked, trouble: null });
    } catch (err) {
      this.trouble = err;
    }
    this.dispatchEvent(new Event('change'));
  }

  /** Takes what is offered. */
  async accept(id) {
    await this.#api.acceptInvitation(id);
    this.#drop(id);
  }

  /** Refuses what is offered; who offers it is not told. */
  async decline(id) {
    await this.#api.declineInvitation(id);
    this.#drop(id);
  }

  /** Refuses all that a person offers, now and later. */
  async block(userId) {
    await this.#api.block(userId);
    await this.read();
  }

  async unblock(userId) {
    await this.#api.unblock(userId);
    await this.read();
  }

  #drop(id) {
    this.waiting = this.waiting.filter((i) => i.id !== id);
    this.dispatchEvent(new Event('change'));
  }
}
