/** The views of the page, by the part of its address that names them. */
export const views = [
  ['entries', 'Entries'],
  ['overview', 'Overview'],
];

/**
 * Which view is shown. The address tells, so that going back goes back, and a
 * page that is opened again shows what it showed. Event: `change`.
 */
export class Views extends EventTarget {
  #address;

  /** @param address the window's location, or anything with a hash */
  constructor(address = globalThis.location) {
    super();
    this.#address = address;
    this.current = this.#named() ?? views[0][0];
  }

  show(view) {
    this.#address.hash = `#${view}`;
    this.follow();
  }

  /** Takes in that the address has changed; one that names no view changes nothing. */
  follow() {
    const view = this.#named() ?? this.current;
    if (view !== this.current) {
      this.current = view;
      this.dispatchEvent(new Event('change'));
    }
  }

  #named() {
    const name = this.#address.hash.slice(1);
    return views.some(([view]) => view === name) ? name : null;
  }
}
