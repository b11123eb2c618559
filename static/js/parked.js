import { text } from './text.js';

/** How many operations are shown at first, and how many more at a time. */
export const pageSize = 20;

/** The most that the server sends at once. */
const mostAtOnce = 200;

/**
 * The operations that the server has parked, in pages, oldest first.
 *
 *  - Only those that are loaded are known; `total` counts all.
 *  - All at once is done by the server in portions, up to the newest operation that
 *    was there when the list was loaded: one that came later is left alone.
 *
 * Events: `change`.
 */
export class Parked extends EventTarget {
  #api;
  #next = null;
  #last = null;

  /** The loaded operations. */
  operations = [];

  /** How many there are. */
  total = 0;

  /** While all are decided on: {done, of}, else null. */
  progress = null;

  constructor(api) {
    super();
    this.#api = api;
  }

  get more() {
    return this.#next !== null;
  }

  /** Whether a loaded operation waits that is about this entry. */
  isAbout(resourceId) {
    return this.operations.some((op) => op.resourceId === resourceId);
  }

  /** Loads as many as were loaded, or the first page. */
  async load() {
    const page = await this.#api.parked({ limit: Math.min(mostAtOnce, Math.max(pageSize, this.operations.length)) });
    this.operations = page.operations;
    this.#keep(page);
  }

  async loadMore() {
    const page = await this.#api.parked({ limit: pageSize, after: this.#next });
    const known = new Set(this.operations.map((op) => op._id));
    this.operations = [...this.operations, ...page.operations.filter((op) => !known.has(op._id))];
    this.#keep(page);
  }

  /** Retries one, with other data if there is any; rejects if it is refused again. */
  async retry(op, data) {
    const result = await this.#api.retryParked(op._id, data);
    if (result?.success === false || (result?.status === 'not_found' && op.action === 'UPDATE')) {
      throw Object.assign(new Error(result.error ?? text('parked.notAccepted')), { current: result.current });
    }
  }

  discard(op) {
    return this.#api.discardParked(op._id);
  }

  /** Discards all that were there when the list was loaded. */
  async discardAll() {
    const through = this.#last;
    const of = this.total;
    await this.#inPortions(of, async () => {
      const { left } = await this.#api.discardAllParked(through);
      return { done: of - left, more: left > 0 };
    });
  }

  /** Retries all that were there when the list was loaded; returns {applied, failed}. */
  async retryAll() {
    const through = this.#last;
    const sum = { applied: 0, failed: 0 };
    let after = '';
    await this.#inPortions(this.total, async () => {
      const { applied, failed, next } = await this.#api.retryAllParked(through, after);
      sum.applied += applied;
      sum.failed += failed;
      after = next;
      return { done: sum.applied + sum.failed, more: next !== null };
    });
    return sum;
  }

  async #inPortions(of, portion) {
    let more = this.#last !== null;
    try {
      this.#setProgress(more ? { done: 0, of } : null);
      while (more) {
        const answer = await portion();
        more = answer.more;
        this.#setProgress({ done: Math.min(answer.done, of), of });
      }
    } finally {
      this.#setProgress(null);
    }
  }

  #keep({ total, next, last }) {
    this.total = total;
    this.#next = next;
    this.#last = last;
    this.#changed();
  }

  #setProgress(progress) {
    this.progress = progress;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
