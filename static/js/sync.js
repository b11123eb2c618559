import { HttpError, Unauthorized, Unreachable } from './api.js';
import { wire } from './queue.js';

/** How many operations are sent at once. */
const batchSize = 200;

/** Milliseconds before the first repetition, and at most between two. */
const firstPause = 1_000;
const longestPause = 30_000;

/**
 * Sends what waits in the queue and loads what the page shows.
 *
 * A round first sends, then loads: an expense whose answer was lost would
 * otherwise stand in the list twice, once as the server's and once as waiting.
 * A round that fails is repeated, later each time, until it succeeds; nothing
 * is dropped for having failed.
 *
 * Events: `change` (busy, trouble or parked changed), `ended` (the server says
 * that the session is over), `settled` (with the outcomes of a batch).
 */
export class Sync extends EventTarget {
  #api;
  #queue;
  #book;
  #reachable;
  #lock;
  #timers;
  #wanted = { list: true, parked: true };
  #running = false;
  #again = false;
  #stopped = false;
  #failures = 0;
  #timer = null;
  #whole = true; // false: send one by one, to find the operation that spoils the batch

  /** The error that the last round ended with, or null. */
  trouble = null;

  /** The operations that the server has set aside, oldest first. */
  parked = [];

  /**
   * @param {{api, queue, book, reachable?: () => boolean, lock?: (work: () => Promise<void>) => Promise<void>, timers?}} options
   * reachable tells whether an attempt makes sense at all: what was never sent
   * can still be merged or taken back. lock keeps two tabs from sending the
   * same operations at once.
   */
  constructor({ api, queue, book, reachable = () => true, lock = (work) => work(), timers = globalThis }) {
    super();
    this.#api = api;
    this.#queue = queue;
    this.#book = book;
    this.#reachable = reachable;
    this.#lock = lock;
    this.#timers = timers;
  }

  /** Whether a round is under way. */
  get busy() {
    return this.#running;
  }

  /** Sends what waits, and loads the list and what is parked as well. */
  refresh() {
    this.#wanted = { list: true, parked: true };
    return this.kick();
  }

  /** Sends what waits, and loads what is parked as well. */
  refreshParked() {
    this.#wanted.parked = true;
    return this.kick();
  }

  /** Starts a round now, or another one after the present one. */
  async kick() {
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

  /** Ends for good; a round under way still takes its answer in. */
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
      this.trouble = null;
    } catch (err) {
      this.#failed(err);
    }
  }

  async #round() {
    if (!this.#reachable()) {
      throw new Unreachable();
    }
    const trouble = await this.#send().then(() => null, (err) => err);
    if (trouble && (this.#book.loaded || !(trouble instanceof HttpError))) {
      throw trouble;
    }
    await this.#load();
    if (trouble) {
      throw trouble;
    }
  }

  async #send() {
    while (!this.#stopped) {
      const flight = this.#queue.flight(batchSize);
      if (flight.length === 0) {
        this.#whole = true;
        return;
      }
      await this.#sendFlight(this.#whole ? flight : flight.slice(0, 1));
    }
  }

  async #sendFlight(flight) {
    try {
      this.#take(flight, await this.#api.batch(flight.map(wire)));
    } catch (err) {
      if (!isHopeless(err)) {
        throw err;
      }
      this.#narrow(flight, err);
    }
  }

  #take(flight, results) {
    const outcomes = this.#queue.settle(flight, results);
    this.#book.settled(outcomes);
    if (outcomes.length === 0) {
      throw new Error('The answer covers none of the changes');
    }
    // A replayed answer is as old as the first attempt; the list tells what is true now.
    this.#wanted.list ||= outcomes.some((o) => o.status === 'duplicate');
    this.#wanted.parked ||= outcomes.some((o) => !o.ok || o.status === 'not_found');
    this.dispatchEvent(Object.assign(new Event('settled'), { outcomes }));
  }

  // A batch that is refused as a whole would be refused for ever. Alone, the
  // operations that are fine go through and the one that is not is set aside.
  #narrow(flight, err) {
    if (this.#whole && flight.length > 1) {
      this.#whole = false;
      return;
    }
    this.#queue.refuse(flight[0], err.message);
  }

  async #load() {
    if (this.#wanted.list) {
      this.#wanted.list = false;
      await this.#book.load(() => this.#api.expenses()).catch((err) => this.#rethrow('list', err));
    }
    if (this.#wanted.parked) {
      this.#wanted.parked = false;
      this.parked = await this.#api.parked().catch((err) => this.#rethrow('parked', err));
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
    this.trouble = err;
    this.#failures++;
    this.#timer = this.#timers.setTimeout(() => this.kick(), pause(this.#failures, err));
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

/** The server understood the request and will never accept it as it is. */
function isHopeless(err) {
  return err instanceof HttpError && [400, 413, 422].includes(err.status);
}

/** Milliseconds until the next attempt: doubling, spread out, and as the server asked. */
function pause(failures, err) {
  const longest = Math.min(longestPause, firstPause * 2 ** (failures - 1));
  return Math.max(err.retryAfterMs ?? 0, longest * (0.5 + Math.random() / 2));
}
