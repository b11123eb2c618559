import { soon } from './dom.js';

/** Milliseconds for which somebody who typed counts as typing. */
const typingLasts = 4_000;

/** Milliseconds between two words to the server that somebody types here. */
const typingPause = 1_500;

/** How many comments are loaded. */
const pageSize = 100;

/**
 * One entry and the people around it, while somebody looks at it: who has it,
 * who is here at this moment, and what is said.
 *
 *  - The server says who has it and what was said; both are read anew when they
 *    may have changed.
 *  - Who is here holds for one connection: the room is entered again with each.
 *
 * Events: `change`.
 */
export class Room extends EventTarget {
  #api;
  #live;
  #timers;
  #id = null;
  #guests = new Map(); // user and device to {user, deviceId}
  #typing = new Map(); // user's id to {name, timer}
  #typed = 0;

  /** Who has the entry: {owner, role, sharedWith}, or null before it is known. */
  sharing = null;

  /** What was said, oldest first. */
  comments = [];

  /** The error that the last reading ended with, or null. */
  trouble = null;

  #readSoon = soon(() => this.#id && this.#read(), 100);

  constructor({ api, live, timers = globalThis }) {
    super();
    this.#api = api;
    this.#live = live;
    this.#timers = timers;
    live.addEventListener('state', () => this.#join());
    live.listen('presence:joined', (guest) => this.#ours(guest) && this.#come(guest));
    live.listen('presence:left', (guest) => this.#ours(guest) && this.#go(guest));
    live.listen('room:activity', (activity) => this.#ours(activity) && this.#hear(activity));
    live.listen('expense:shared', ({ expenseId }) => expenseId === this.#id && this.#readSoon());
  }

  /** The people who are here: {id, name, devices}, devices counted. */
  get here() {
    const people = new Map();
    for (const { user } of this.#guests.values()) {
      people.set(user.id, { ...user, devices: (people.get(user.id)?.devices ?? 0) + 1 });
    }
    return [...people.values()].sort((a, b) => a.name.localeCompare(b.name));
  }

  /** The names of those who type. */
  get typing() {
    return [...this.#typing.values()].map(({ name }) => name);
  }

  /** Goes to an entry. */
  async enter(expenseId) {
    this.leave();
    this.#id = expenseId;
    this.#join();
    await this.#read();
  }

  leave() {
    if (this.#id && this.#live.connected) {
      this.#live.ask('room:leave', { room: this.#room() }).catch(() => {}); // gone with the connection
    }
    this.#id = null;
    this.#guests.clear();
    this.#typing.forEach(({ timer }) => this.#timers.clearTimeout(timer));
    this.#typing.clear();
    Object.assign(this, { sharing: null, comments: [], trouble: null });
  }

  /** Asks whoever has the address; a member's role changes at once. */
  async share(email, role) {
    await this.#api.share(this.#id, email, role);
    await this.#read();
  }

  /** Takes an invitation back that was not accepted. */
  async withdraw(email) {
    await this.#api.withdraw(this.#id, email);
    await this.#read();
  }

  /** Takes the entry away from somebody; from oneself is to leave it. */
  async unshare(userId) {
    this.#take(await this.#api.unshare(this.#id, userId));
  }

  async say(text) {
    this.#add(await this.#api.comment(this.#id, text));
  }

  /** Tells the others that somebody types here. */
  type(now = Date.now()) {
    if (this.#live.connected && now - this.#typed >= typingPause) {
      this.#typed = now;
      this.#live.ask('room:activity', { room: this.#room(), type: 'typing', data: {} }).catch(() => {}); // of no use later
    }
  }

  #room() {
    return `expense:${this.#id}`;
  }

  #ours({ room }) {
    return this.#id !== null && room === this.#room();
  }

  async #join() {
    if (!this.#id || !this.#live.connected) {
      return;
    }
    const room = this.#room();
    const answer = await this.#live.ask('room:join', { room }).catch(() => null);
    if (answer?.ok && this.#ours({ room })) {
      this.#guests = new Map(answer.members.map((guest) => [keyOf(guest), guest]));
      this.#changed();
    }
  }

  #come(guest) {
    this.#guests.set(keyOf(guest), guest);
    this.#changed();
  }

  #go(guest) {
    this.#guests.delete(keyOf(guest));
    this.#stopTyping(guest.user.id);
    this.#changed();
  }

  #hear({ type, user }) {
    if (type === 'typing') {
      this.#startTyping(user);
    } else if (type === 'comment') {
      this.#stopTyping(user.id);
      this.#readSoon();
    }
    this.#changed();
  }

  #startTyping({ id, name }) {
    this.#stopTyping(id);
    const timer = this.#timers.setTimeout(() => (this.#typing.delete(id), this.#changed()), typingLasts);
    this.#typing.set(id, { name, timer });
  }

  #stopTyping(id) {
    this.#timers.clearTimeout(this.#typing.get(id)?.timer);
    this.#typing.delete(id);
  }

  async #read() {
    const id = this.#id;
    try {
      const [sharing, comments] = await Promise.all([this.#api.shares(id), this.#api.comments(id, pageSize)]);
      if (id === this.#id) {
        Object.assign(this, { sharing, comments: comments.reverse(), trouble: null });
      }
    } catch (err) {
      this.trouble = id === this.#id ? err : this.trouble;
    }
    this.#changed();
  }

  #take({ expenseId, sharedWith }) {
    if (expenseId === this.#id && this.sharing) {
      this.sharing = { ...this.sharing, sharedWith };
      this.#changed();
    }
  }

  #add(comment) {
    this.comments = [...this.comments.filter((c) => c.id !== comment.id), comment];
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

function keyOf({ user, deviceId }) {
  return `${user.id} ${deviceId}`;
}
