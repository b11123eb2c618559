/**
 * The offline queue: the changes of one user that the server has not answered yet.
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
 *    two tabs do not overwrite each other, and two accounts share nothing.
 *
 * A stored entry is the operation as it is sent (see toRequest) with two more
 * fields: `sent`, and `refused`, the reason for which the server refused the request.
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

  /** The entries that wait for an answer, oldest first. */
  pending() {
    return this.all().filter((op) => !op.refused);
  }

  /** The entries whose request the server refused, oldest first. */
  refused() {
    return this.all().filter((op) => op.refused);
  }

  /** Queues a new expense and returns its entry; resourceId is a temporary id. */
  create(data) {
    const timestamp = this.#nextTimestamp();
    return this.#write(this.#operation('CREATE', `temp_${timestamp}`, data, timestamp));
  }

  /**
   * Queues changed fields of an expense. seen is the version on the screen; the
   * server refuses the change if a newer one is stored. An operation that was
   * not sent yet is changed instead.
   */
  update(id, patch, seen) {
    const op = this.#unsent(id, 'CREATE') ?? this.#unsent(id, 'UPDATE');
    if (op) {
      return this.#write({ ...op, data: { ...op.data, ...patch } });
    }
    const data = seen === undefined ? { ...patch } : { ...patch, version: seen };
    return this.#write(this.#operation('UPDATE', id, data, this.#nextTimestamp()));
  }

  /** Queues a deletion. An expense that was never sent is dropped from the queue. */
  remove(id) {
    const created = this.#unsent(id, 'CREATE');
    if (created) {
      this.#drop(created);
    } else if (!this.pending().some((op) => op.resourceId === id && op.action === 'DELETE')) {
      this.#write(this.#operation('DELETE', id, null, this.#nextTimestamp()));
    }
  }

  /** Takes a queued deletion back; returns false if it was sent already. */
  restore(id) {
    const op = this.#unsent(id, 'DELETE');
    if (op) {
      this.#drop(op);
    }
    return op !== undefined;
  }

  /**
   * Returns the operations to send now: those that were sent without an answer,
   * unchanged and alone; if there are none, up to limit new ones, marked as sent.
   */
  nextBatch(limit) {
    const open = this.pending();
    const sent = open.filter((op) => op.sent);
    if (sent.length > 0) {
      return sent;
    }
    return open.slice(0, limit).map((op) => this.#write({ ...op, sent: true }));
  }

  /**
   * Removes the operations of batch that results answers, and returns an outcome
   * for each. Operations without an answer stay queued.
   *
   * @returns {{op, ok: boolean, status?: string, error?: string, expense: object | null}[]}
   */
  applyResults(batch, results) {
    const outcomes = batch.flatMap((op, i) => (covers(results?.[i], op) ? [outcome(op, results[i])] : []));
    outcomes.forEach(({ op }) => this.#storage.remove(this.#key(op)));
    outcomes.forEach((done) => this.#rebase(done));
    this.#changed();
    return outcomes;
  }

  /** Marks an operation whose request would always be refused. */
  refuse(op, reason) {
    this.#write({ ...op, refused: reason });
  }

  /** Sends a refused operation again, with other data if there is any. */
  retry(op, data = op.data) {
    this.#write({ ...op, data, sent: false, refused: undefined });
  }

  /** Drops a refused operation. */
  discard(op) {
    this.#drop(op);
  }

  /** Sends all refused operations again, or drops them. */
  retryAll() {
    this.refused().forEach((op) => this.#storage.set(this.#key(op), { ...op, sent: false, refused: undefined }));
    this.#changed();
  }

  discardAll() {
    this.refused().forEach((op) => this.#storage.remove(this.#key(op)));
    this.#changed();
  }

  /** Tells listeners that another tab wrote to the store. */
  changedElsewhere() {
    this.#changed();
  }

  // Operations queued behind an answered one get the expense's real id and newest
  // version; otherwise the user's second edit would conflict with the first.
  #rebase({ op: done, ok, expense }) {
    if (!ok || !expense?._id) {
      return;
    }
    for (const op of this.pending().filter((op) => !op.sent && op.resourceId === done.resourceId)) {
      const data = op.action === 'UPDATE' && expense.version !== undefined
        ? { ...op.data, version: expense.version }
        : op.data;
      this.#storage.set(this.#key(op), { ...op, resourceId: expense._id, data });
    }
  }

  #unsent(id, action) {
    return this.pending().find((op) => !op.sent && op.resourceId === id && op.action === action);
  }

  #operation(action, resourceId, data, timestamp) {
    return { action, resourceType: 'expense', resourceId, data, deviceId: this.#deviceId, timestamp };
  }

  #nextTimestamp() {
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

/** The fields of an entry that are sent to the server. */
export function toRequest({ action, resourceType, resourceId, data, deviceId, timestamp }) {
  return { action, resourceType, resourceId, data, deviceId, timestamp };
}

/** Whether an id was made here and not by the server. */
export function isTemporary(id) {
  return id.startsWith('temp_');
}

/** How many changes of a user are queued in a store. */
export function pendingCount(storage, userId) {
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
