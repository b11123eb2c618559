/**
 * The changes of one user that the server has not answered yet.
 *
 * Every change goes through here, online too: an operation is known to the
 * server by device, action, resource, timestamp and data, so sending it a
 * second time is harmless, which no plain POST can promise.
 *
 *  - An operation leaves only when an answer covers it, or when the user takes
 *    it back before it was sent.
 *  - Once sent, an operation never changes: it may have been applied already.
 *  - Timestamps grow strictly, so no two operations are mistaken for one.
 *  - Each operation has a key of its own in the store, and each user a prefix:
 *    two tabs do not overwrite each other, two accounts never meet.
 *
 * A stored entry is what the server is sent (see wire) and, beside it, `sent`
 * and `refused`, the reason why the server would not even look at it.
 */
export class Queue extends EventTarget {
  #storage;
  #prefix;
  #deviceId;
  #now;
  #last = 0;

  /** @param {{storage, userId: string, deviceId: string, now?: () => number}} options */
  constructor({ storage, userId, deviceId, now = Date.now }) {
    super();
    this.#storage = storage;
    this.#prefix = queuePrefix(userId);
    this.#deviceId = deviceId;
    this.#now = now;
  }

  /** Whether a key of the store belongs to this queue. */
  owns(key) {
    return key.startsWith(this.#prefix);
  }

  /** Every entry, oldest first. */
  all() {
    return this.#storage.keys(this.#prefix).map((key) => this.#storage.get(key)).filter(Boolean);
  }

  /** The entries that still wait for an answer, oldest first. */
  open() {
    return this.all().filter((op) => !op.refused);
  }

  /** The entries that the server would not look at, oldest first. */
  refused() {
    return this.all().filter((op) => op.refused);
  }

  /** Queues a new expense and gives its entry; resourceId is a temporary id. */
  create(data) {
    const timestamp = this.#stamp();
    return this.#write(this.#operation('CREATE', `temp_${timestamp}`, data, timestamp));
  }

  /**
   * Queues changed fields of an expense. seen is the version on the screen; the
   * server refuses the change if a newer one is stored. What has not been sent
   * yet simply takes the new fields in.
   */
  update(id, patch, seen) {
    const op = this.#unsent(id, 'CREATE') ?? this.#unsent(id, 'UPDATE');
    if (op) {
      return this.#write({ ...op, data: { ...op.data, ...patch } });
    }
    const data = seen === undefined ? { ...patch } : { ...patch, version: seen };
    return this.#write(this.#operation('UPDATE', id, data, this.#stamp()));
  }

  /** Queues a deletion. An expense that was never sent is simply forgotten. */
  remove(id) {
    const created = this.#unsent(id, 'CREATE');
    if (created) {
      this.#drop(created);
    } else if (!this.open().some((op) => op.resourceId === id && op.action === 'DELETE')) {
      this.#write(this.#operation('DELETE', id, null, this.#stamp()));
    }
  }

  /** Takes a deletion back; false if it was sent already. */
  restore(id) {
    const op = this.#unsent(id, 'DELETE');
    if (op) {
      this.#drop(op);
    }
    return op !== undefined;
  }

  /**
   * The operations to send now: first those whose answer is missing, unchanged
   * and alone; only then up to limit new ones, which are marked as sent.
   */
  flight(limit) {
    const open = this.open();
    const sent = open.filter((op) => op.sent);
    if (sent.length > 0) {
      return sent;
    }
    return open.slice(0, limit).map((op) => this.#write({ ...op, sent: true }));
  }

  /**
   * Takes in the answer to flight and gives one outcome per operation that it
   * covers. The others stay, whatever the answer was.
   *
   * @returns {{op, ok: boolean, status?: string, error?: string, expense: object | null}[]}
   */
  settle(flight, results) {
    const outcomes = flight.flatMap((op, i) => (covers(results?.[i], op) ? [outcome(op, results[i])] : []));
    outcomes.forEach(({ op }) => this.#storage.remove(this.#key(op)));
    outcomes.forEach((done) => this.#rebase(done));
    this.#changed();
    return outcomes;
  }

  /** Sets an operation aside that would be refused for ever. */
  refuse(op, reason) {
    this.#write({ ...op, refused: reason });
  }

  /** Sends a refused operation again, with other data if there is any. */
  retry(op, data = op.data) {
    this.#write({ ...op, data, sent: false, refused: undefined });
  }

  /** Forgets a refused operation. */
  discard(op) {
    this.#drop(op);
  }

  /** Tells listeners that another tab wrote to the store. */
  touched() {
    this.#changed();
  }

  // What waited for an answer about the same expense now knows its real id and
  // its newest version: otherwise the user's second edit would collide with the
  // first.
  #rebase({ op: done, ok, expense }) {
    if (!ok || !expense?._id) {
      return;
    }
    for (const op of this.open().filter((op) => !op.sent && op.resourceId === done.resourceId)) {
      const data = op.action === 'UPDATE' && expense.version !== undefined
        ? { ...op.data, version: expense.version }
        : op.data;
      this.#storage.set(this.#key(op), { ...op, resourceId: expense._id, data });
    }
  }

  #unsent(id, action) {
    return this.open().find((op) => !op.sent && op.resourceId === id && op.action === action);
  }

  #operation(action, resourceId, data, timestamp) {
    return { action, resourceType: 'expense', resourceId, data, deviceId: this.#deviceId, timestamp };
  }

  #stamp() {
    const stored = this.all().map((op) => op.timestamp);
    this.#last = Math.max(this.#now(), this.#last + 1, ...stored.map((t) => t + 1));
    return this.#last;
  }

  #key(op) {
    return this.#prefix + String(op.timestamp).padStart(16, '0');
  }

  #write(op) {
    this.#storage.set(this.#key(op), op);
    this.#changed();
    return op;
  }

  #drop(op) {
    this.#storage.remove(this.#key(op));
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

/** What the server is sent of an entry. */
export function wire({ action, resourceType, resourceId, data, deviceId, timestamp }) {
  return { action, resourceType, resourceId, data, deviceId, timestamp };
}

/** Whether an id was given here and not by the server. */
export function isTemporary(id) {
  return id.startsWith('temp_');
}

/** How many changes of a user wait in a store. */
export function waiting(storage, userId) {
  return storage.keys(queuePrefix(userId)).length;
}

function queuePrefix(userId) {
  return `expenseflow.${userId}.op.`;
}

function covers(result, op) {
  return typeof result?.success === 'boolean' && result.resourceId === op.resourceId;
}

function outcome(op, { success, status, error, data }) {
  return { op, ok: success, status, error, expense: data ?? null };
}
