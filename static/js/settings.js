import { deviceZone, useZone } from './days.js';

/** The currency of an account that has chosen none. */
const firstCurrency = 'INR';

/**
 * What the account chose for itself: the currency that it counts, and the time
 * zone of its days. Kept for a start without a server.
 *
 * Events: `change`.
 */
export class Settings extends EventTarget {
  #api;
  #storage;
  #key;
  #stopped = false;

  currency = firstCurrency;
  timeZone = deviceZone();

  /** @param {{api, storage, live, userId: string}} options */
  constructor({ api, storage, live, userId }) {
    super();
    this.#api = api;
    this.#storage = storage;
    this.#key = settingsKey(userId);
    this.#take(storage.get(this.#key) ?? {});
    live.listen('account:settings', (settings) => this.#keep(settings));
  }

  /** Reads them anew. Without an answer the last ones stay. */
  async refresh() {
    const settings = await this.#api.settings().catch(() => null);
    if (settings && !this.#stopped) {
      this.#keep(settings);
    }
  }

  /** Counts in another currency from now on; throws what the server says against it. */
  async chooseCurrency(currency) {
    this.#keep(await this.#api.saveSettings({ currency }));
  }

  /** Keeps nothing from now on: an answer that is under way comes too late. */
  stop() {
    this.#stopped = true;
  }

  #keep({ currency, timeZone }) {
    this.#storage.set(this.#key, { currency, timeZone });
    this.#take({ currency, timeZone });
    this.dispatchEvent(new Event('change'));
  }

  #take({ currency, timeZone }) {
    this.currency = currency ?? firstCurrency;
    this.timeZone = timeZone ?? deviceZone();
    useZone(this.timeZone);
  }
}

export function settingsKey(userId) {
  return `expenseflow.${userId}.settings`;
}
