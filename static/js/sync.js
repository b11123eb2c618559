import { HttpError, Unauthorized, Unreachable } from './httpclient.js';
import { toRequest } from './queue.js';

/** How many operations are sent at once. */
const batchSize = 200;

/** Milliseconds before the first retry, and at most between two. */
const firstPause = 1_000;
const longestPause = 30_000;

/**
 * Sends the queue and loads what the page shows, in rounds.
 *
 * A round first sends, then loads: an expense whose answer was lost would
 * otherwise be listed twice, as stored and as pending. A failed round is retried
 * with growing pauses until it succeeds; a failure drops nothing.
 *
 * Events: `change` (busy or error changed), `ended` (the server says
 * that the session is over), `answered` (with the outcomes of a batch).
 */
export class Sync extends EventTarget {
  #api;
  #queue;
  #expenseList;
  #parked;
  #reachable;
  #lock;
  #timers;
  #wanted = { list: true, parked: true };
  #running = false;
  #again = false;
  #stopped = false;
  #failures = 0;
  #timer = null;
  #batching = true; // false: send one by one, to find the operation for which the batch is refused

  /** The error that the last round ended with, or null. */
  error = null;

  /**
   * @param {{api, queue, expenseList, parked: {load: () => Promise<void>}, reachable?: () => boolean, lock?: (work: () => Promise<void>) => Promise<void>, timers?}} options
   * reachable reports whether an attempt makes sense: operations that were never
   * sent can still be merged or taken back. lock keeps two tabs from sending the
   * same operations at once.
   */
  constructor({ api, queue, expenseList, parked, reachable = () => true, lock = (work) => work(), timers = globalThis }) {
    super();
    this.#api = api;
    this.#queue = queue;
    this.#expenseList = expenseList;
    this.#parked = parked;
    this.#reachable = reachable;
    this.#lock = lock;
    this.#timers = timers;
  }

  /** Whether a round is running. */
  get busy() {
    return this.#running;
  }

  /** Sends the queue, and loads the list and the parked operations. */
  refresh() {
    this.#wanted = { list: true, parked: true };
    return this.run();
  }

  /** Sends the queue, and loads the parked operations. */
  refreshParked() {
    this.#wanted.parked = true;
    return this.run();
  }

  /** Starts a round now, or another one after the present one. */
  async run() {
    this.#again = true;
    if (this.#running || this.#stopped) {
      return;
    }
    this.#running = true;
    this.#timers.clearTimeout(this.#timer);
    await this.#rounds();
    this.#running = false;
    this.#changed();
  }

  /** Starts no further round; the running one still applies its answer. */
  stop() {
    this.#stopped = true;
    this.#timers.clearTimeout(this.#timer);
  }

  async #rounds() {
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        this.#changed();
        await this.#lock(() => this.#round());
      }
      this.#failures = 0;
      this.error = null;
    } catch (err) {
      this.#failed(err);
    }
  }

  async #round() {
    if (!this.#reachable()) {
      throw new Unreachable();
    }
    const error = await this.#send().then(() => null, (err) => err);
    if (error && (this.#expenseList.loaded || !(error instanceof HttpError))) {
      throw error;
    }
    await this.#load();
    if (error) {
      throw error;
    }
  }

  async #send() {
    while (!this.#stopped) {
      const batch = this.#queue.nextBatch(batchSize);
      if (batch.length === 0) {
        this.#batching = true;
        return;
      }
      await this.#sendBatch(this.#batching ? batch : batch.slice(0, 1));
    }
  }

  async #sendBatch(batch) {
    try {
      this.#applyResults(batch, await this.#api.batch(batch.map(toRequest)));
    } catch (err) {
      if (!isPermanent(err)) {
        throw err;
      }
      this.#isolateRefused(batch, err);
    }
  }

  #applyResults(batch, results) {
    const outcomes = this.#queue.applyResults(batch, results);
    this.#expenseList.applyOutcomes(outcomes);
    if (outcomes.length === 0) {
      throw new Error('The answer covers none of the changes');
    }
    // A replayed answer is as old as the first attempt; the list has the present state.
    this.#wanted.list ||= outcomes.some((o) => o.status === 'duplicate');
    this.#wanted.parked ||= outcomes.some((o) => !o.ok || o.status === 'not_found');
    this.dispatchEvent(Object.assign(new Event('answered'), { outcomes }));
  }

  // A batch that is refused as a whole would always be refused. Sent one by one,
  // the valid operations succeed and the invalid one is marked as refused.
  #isolateRefused(batch, err) {
    if (this.#batching && batch.length > 1) {
      this.#batching = false;
      return;
    }
    this.#queue.refuse(batch[0], err.message);
  }

  async #load() {
    if (this.#wanted.list) {
      this.#wanted.list = false;
      await this.#expenseList.catchUp((position, arrived) => this.#api.changes(position, arrived)).catch((err) => this.#rethrow('list', err));
    }
    if (this.#wanted.parked) {
      this.#wanted.parked = false;
      await this.#parked.load().catch((err) => this.#rethrow('parked', err));
    }
  }

  #rethrow(what, err) {
    this.#wanted[what] = true;
    throw err;
  }

  #failed(err) {
    if (err instanceof Unauthorized) {
      this.stop();
      this.dispatchEvent(new Event('ended'));
      return;
    }
    this.error = err;
    this.#failures++;
    this.#timer = this.#timers.setTimeout(() => this.run(), retryDelay(this.#failures, err));
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

/** The server understood the request and will never accept it as it is. */
function isPermanent(err) {
  return err instanceof HttpError && [400, 413, 422].includes(err.status);
}

/** Milliseconds until the next attempt: exponential, with jitter, at least Retry-After. */
function retryDelay(failures, err) {
  const longest = Math.min(longestPause, firstPause * 2 ** (failures - 1));
  return Math.max(err.retryAfterMs ?? 0, longest * (0.5 + Math.random() / 2));
}
