import { cacheKey } from './caches.js';
import { deviceZone, useZone } from './days.js';
import { useCurrency } from './numbers.js';

/** The currency of an account without a chosen one. */
export const defaultCurrency = 'INR';

/**
 * The account's settings: the user's name, its currency, and the time zone of its days.
 * `currencyChosen` is false if nobody has chosen a currency, and undefined while that is
 * not known. They are stored, for a start without a server.
 *
 * Events: `change`.
 */
export class Settings extends EventTarget {
  #api;
  #storage;
  #key;
  #stopped = false;

  name = '';
  currency = defaultCurrency;
  currencyChosen;
  timeZone = deviceZone();

  /** @param {{api, storage, live, userId: string, name: string}} options with the name at the sign-in */
  constructor({ api, storage, live, userId, name = '' }) {
    super();
    this.name = name;
    this.#api = api;
    this.#storage = storage;
    this.#key = cacheKey(userId, 'settings');
    this.#apply(storage.get(this.#key) ?? {});
    live.listen('account:settings', (settings) => this.#store(settings));
  }

  /** Reads them again. Without an answer the present ones stay. */
  async refresh() {
    const settings = await this.#api.settings().catch(() => null);
    if (settings && !this.#stopped) {
      this.#store(settings);
    }
  }

  /** Changes the user's name; throws the server's refusal. */
  async chooseName(name) {
    this.#store(await this.#api.saveSettings({ name }));
  }

  /** Changes the currency; throws the server's refusal. */
  async chooseCurrency(currency) {
    this.#store(await this.#api.saveSettings({ currency }));
  }

  /** Changes the time zone of days; throws the server's refusal. */
  async chooseTimeZone(timeZone) {
    this.#store(await this.#api.saveSettings({ timeZone }));
  }

  /** Stores nothing from now on, not even an answer in flight. */
  stop() {
    this.#stopped = true;
  }

  #store({ currency, currencyChosen, timeZone, name }) {
    const stored = { currency, currencyChosen, timeZone, name: name || this.name };
    const isNew = JSON.stringify(this.#storage.get(this.#key)) !== JSON.stringify(stored);
    this.#storage.set(this.#key, stored);
    this.#apply(stored);
    if (isNew) {
      this.dispatchEvent(new Event('change'));
    }
  }

  #apply({ currency, currencyChosen, timeZone, name }) {
    this.name = name || this.name;
    this.currency = currency ?? defaultCurrency;
    this.timeZone = timeZone ?? deviceZone();
    useZone(this.timeZone);
    this.currencyChosen = currencyChosen ?? (currency && currency !== defaultCurrency);
    useCurrency(this.currencyChosen ? this.currency : '');
  }
}
