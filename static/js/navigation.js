import { noFilter, placeOf, readAddress, viewNames, writeAddress } from './address.js';
import { thisMonth } from './months.js';

/** Milliseconds until the address says what is typed: browsers bound how often it may change, and take time for it. */
const pause = 300;

/**
 * Where on the page this person is: the view, the month, what is searched for and
 * the filters (address.js), kept in the URL fragment, so that Back, Forward and
 * reloading work. Event: `change`, with `byAddress` if the address was there first.
 */
export class Navigation extends EventTarget {
  #address;
  #timers;
  #timer = null;
  #begins = false; // what is typed begins or ends a search, so that Back leads to before it

  /** The present place; it is replaced, never changed. */
  place;

  /** @param address the window's location, or anything with a hash and replace */
  constructor(address = globalThis.location, timers = globalThis) {
    super();
    this.#address = address;
    this.#timers = timers;
    this.place = readAddress(address.hash) ?? placeOf(viewNames[0]);
  }

  /** The name of the present view. */
  get current() {
    return this.place.view;
  }

  /** The month that is shown, YYYY-MM, or allMonths. */
  get month() {
    return this.place.month || thisMonth();
  }

  /** Shows a view, with changes of the place: `show('entries', { category: 'food' })`. */
  show(view, changes = {}) {
    this.#go({ ...this.place, ...changes, view });
  }

  /** Changes parts of the place; Back goes to the present one. */
  set(changes) {
    this.#go({ ...this.place, ...changes });
  }

  /** The entries that have all of the given, and are filtered by nothing else. */
  find(filter) {
    this.#go(this.#found(filter));
  }

  /** The address of what find shows. */
  addressOf(filter) {
    return writeAddress(this.#found(filter));
  }

  #found(filter) {
    return { ...this.place, ...noFilter, ...filter, view: viewNames[0] };
  }

  /** Changes what is searched for. Going back does not repeat the typing. */
  search(q) {
    this.#begins ||= this.place.q === '' || q === '';
    this.#timer ??= this.#timers.setTimeout(() => this.#writeNow(), pause);
    this.#move({ ...this.place, q });
  }

  /** Takes the place out of the address: what one person searched for is not for the next. */
  leave() {
    this.#timers.clearTimeout(this.#timer);
    this.#timer = null;
    this.#begins = false;
    this.#address.replace(writeAddress(placeOf(viewNames[0])));
  }

  /**
   * Follows a change of the fragment; one that names no view is ignored. If held() says that
   * something lies over the place, the place stays, and so does its address.
   */
  addressChanged(held = () => false) {
    const place = readAddress(this.#address.hash);
    if (this.#timer !== null || !place || writeAddress(place) === writeAddress(this.place)) {
      return;
    }
    held() ? this.#address.hash = writeAddress(this.place) : this.#move(place, true);
  }

  #go({ month, ...rest }) {
    const place = { ...rest, month: month === thisMonth() ? '' : month };
    if (this.#timer !== null) {
      this.#writeNow();
    }
    const hash = writeAddress(place);
    if (hash !== writeAddress(this.place) || readAddress(this.#address.hash) === null) {
      this.#address.hash = hash;
    }
    this.#move(place);
  }

  #writeNow() {
    this.#timers.clearTimeout(this.#timer);
    this.#timer = null;
    const hash = writeAddress(this.place);
    if (this.#begins) {
      this.#address.hash = hash;
    } else {
      this.#address.replace(hash);
    }
    this.#begins = false;
  }

  #move(place, byAddress = false) {
    const before = writeAddress(this.place);
    this.place = place;
    if (writeAddress(place) !== before) {
      this.dispatchEvent(Object.assign(new Event('change'), { byAddress }));
    }
  }
}
