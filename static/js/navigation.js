/** The views of the page: [URL fragment, label]. */
export const views = [
  ['entries', 'Entries'],
  ['overview', 'Overview'],
];

/**
 * The current view, kept in the URL fragment, so that the Back button and reloading
 * work. Event: `change`.
 */
export class Navigation extends EventTarget {
  #address;

  /** @param address the window's location, or anything with a hash */
  constructor(address = globalThis.location) {
    super();
    this.#address = address;
    this.current = this.#named() ?? views[0][0];
  }

  show(view) {
    this.#address.hash = `#${view}`;
    this.addressChanged();
  }

  /** Follows a change of the fragment; one that names no view is ignored. */
  addressChanged() {
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
