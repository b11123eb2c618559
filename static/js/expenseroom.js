import { soon } from './dom.js';

/** Milliseconds for which a user is shown as typing. */
const typingLasts = 4_000;

/** Least milliseconds between two typing events sent to the server. */
const typingPause = 1_500;

/** How many comments are loaded. */
const pageSize = 100;

/**
 * The room of one expense while its dialog is open: members, who is present, and
 * comments.
 *
 *  - Members and comments are read again whenever they may have changed.
 *  - Presence belongs to a connection: each new one joins the room again.
 *
 * Events: `change`.
 */
export class ExpenseRoom extends EventTarget {
  #api;
  #live;
  #timers;
  #id = null;
  #participants = new Map(); // user and device to {user, deviceId}
  #typing = new Map(); // user's id to {name, timer}
  #typed = 0;

  /** The members: {owner, role, sharedWith}, or null before they are known. */
  sharing = null;

  /** The comments, oldest first. */
  comments = [];

  /** The error of the last request, or null. */
  error = null;

  #readSoon = soon(() => this.#id && this.#read(), 100);

  constructor({ api, live, timers = globalThis }) {
    super();
    this.#api = api;
    this.#live = live;
    this.#timers = timers;
    live.addEventListener('state', () => this.#join());
    live.listen('presence:joined', (participant) => this.#isHere(participant) && this.#onJoined(participant));
    live.listen('presence:left', (participant) => this.#isHere(participant) && this.#onLeft(participant));
    live.listen('room:activity', (activity) => this.#isHere(activity) && this.#onActivity(activity));
    live.listen('expense:shared', ({ expenseId }) => expenseId === this.#id && this.#readSoon());
    // Only the owner is sent expense:shared; a member is sent the entry, with the new role.
    ['expense_created', 'expense_updated', 'expense:created', 'expense:updated'].forEach((event) => live.listen(event, (entry) => this.#onEntry(entry)));
  }

  /** The people who are present: {id, name, devices}, with the number of devices. */
  get present() {
    const people = new Map();
    for (const { user } of this.#participants.values()) {
      people.set(user.id, { ...user, devices: (people.get(user.id)?.devices ?? 0) + 1 });
    }
    return [...people.values()].sort((a, b) => a.name.localeCompare(b.name));
  }

  /** The names of those who are typing. */
  get typing() {
    return [...this.#typing.values()].map(({ name }) => name);
  }

  /** Enters the room of an expense, leaving the current one. */
  async enter(expenseId) {
    this.leave();
    this.#id = expenseId;
    this.#join();
    await this.#read();
  }

  leave() {
    if (this.#id && this.#live.connected) {
      this.#live.request('room:leave', { room: this.#room() }).catch(() => {}); // gone with the connection
    }
    this.#id = null;
    this.#participants.clear();
    this.#typing.forEach(({ timer }) => this.#timers.clearTimeout(timer));
    this.#typing.clear();
    Object.assign(this, { sharing: null, comments: [], error: null });
  }

  /** Invites the person with this address; a member's role changes at once. */
  async share(email, role) {
    await this.#api.share(this.#id, email, role);
    await this.#read();
  }

  /** Withdraws an invitation that was not accepted. */
  async withdraw(email) {
    await this.#api.withdraw(this.#id, email);
    await this.#read();
  }

  /** Removes a member; removing oneself is leaving. */
  async unshare(userId) {
    this.#setSharing(await this.#api.unshare(this.#id, userId));
  }

  async comment(text) {
    this.#addLocally(await this.#api.comment(this.#id, text));
  }

  /** Sends a typing event, at most once per typingPause. */
  notifyTyping(now = Date.now()) {
    if (this.#live.connected && now - this.#typed >= typingPause) {
      this.#typed = now;
      this.#live.request('room:activity', { room: this.#room(), type: 'typing', data: {} }).catch(() => {}); // of no use later
    }
  }

  #room() {
    return `expense:${this.#id}`;
  }

  #isHere({ room }) {
    return this.#id !== null && room === this.#room();
  }

  async #join() {
    if (!this.#id || !this.#live.connected) {
      return;
    }
    const room = this.#room();
    const answer = await this.#live.request('room:join', { room }).catch(() => null);
    if (answer?.ok && this.#isHere({ room })) {
      this.#participants = new Map(answer.members.map((participant) => [keyOf(participant), participant]));
      this.#changed();
    }
  }

  #onEntry({ _id, role }) {
    if (_id === this.#id && role && role !== this.sharing?.role) {
      this.#readSoon();
    }
  }

  #onJoined(participant) {
    this.#participants.set(keyOf(participant), participant);
    this.#changed();
  }

  #onLeft(participant) {
    this.#participants.delete(keyOf(participant));
    this.#stopTyping(participant.user.id);
    this.#changed();
  }

  #onActivity({ type, user }) {
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
        Object.assign(this, { sharing, comments: comments.reverse(), error: null });
      }
    } catch (err) {
      this.error = id === this.#id ? err : this.error;
    }
    this.#changed();
  }

  #setSharing({ expenseId, sharedWith }) {
    if (expenseId === this.#id && this.sharing) {
      this.sharing = { ...this.sharing, sharedWith };
      this.#changed();
    }
  }

  #addLocally(comment) {
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
