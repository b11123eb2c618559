/** A store like localStorage, in memory; limit is how many entries it takes. */
export class FakeDisk {
  entries = new Map();

  constructor(limit = Infinity) {
    this.limit = limit;
  }

  get length() {
    return this.entries.size;
  }

  key(i) {
    return [...this.entries.keys()][i] ?? null;
  }

  getItem(key) {
    return this.entries.get(key) ?? null;
  }

  setItem(key, text) {
    if (!this.entries.has(key) && this.entries.size >= this.limit) {
      throw new Error('QuotaExceededError');
    }
    this.entries.set(key, text);
  }

  removeItem(key) {
    this.entries.delete(key);
  }
}

/** Timers that run only when told to. */
export class FakeTimers {
  pending = [];

  setTimeout(run, ms) {
    this.pending.push({ run, ms });
    return this.pending.at(-1);
  }

  clearTimeout(timer) {
    this.pending = this.pending.filter((t) => t !== timer);
  }

  /** Runs what is due and gives the pauses that were asked for. */
  async elapse() {
    const due = this.pending;
    this.pending = [];
    await Promise.all(due.map((t) => t.run()));
    return due.map((t) => t.ms);
  }
}

/** The server's answer to an operation that it applied. */
export function applied(op, fields = {}) {
  return { resourceId: op.resourceId, success: true, data: { ...op.data, ...fields } };
}

/** The server's answer to a page of its log that has every expense. */
export function snapshot(expenses, next = 'epoch.1') {
  return { snapshot: true, next, expenses };
}

/** What a browser keeps of a book, in memory; its writes can be read as `kept`. */
export class FakeBookStore extends EventTarget {
  kept = null;

  constructor(kept = null) {
    super();
    this.kept = kept;
  }

  async read() {
    return this.kept && { ...this.kept, rows: [...this.kept.rows] };
  }

  save({ rows, gone, position, at }) {
    const all = new Map(this.kept.rows.map((row) => [row._id, row]));
    gone.forEach((id) => all.delete(id));
    rows.forEach((row) => all.set(row._id, row));
    this.kept = { rows: [...all.values()], position: position ?? this.kept.position, at };
  }

  replace(kept) {
    this.kept = kept;
  }

  close() {}
}

/** A live connection that notes what it is asked and tells what it is told. */
export class FakeLive extends EventTarget {
  connected = false;
  requests = [];
  #listeners = [];

  listen(event, handle) {
    this.#listeners.push([event, handle]);
  }

  async request(event, payload) {
    this.requests.push([event, payload]);
    return { ok: true };
  }

  connect() {
    this.connected = true;
    this.dispatchEvent(new Event('state'));
  }

  receive(event, payload) {
    this.#listeners.filter(([name]) => name === event).forEach(([, handle]) => handle(payload));
  }
}

/** Lets everything run that waits for nothing but its turn. */
export function settled() {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Random choices that a seed repeats: below(n) is from 0 to n - 1, pick one of a list. */
export function random(seed) {
  let state = seed;
  const below = (n) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * n);
  };
  return { below, pick: (list) => list[below(list.length)] };
}
