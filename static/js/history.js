/** How many changes are loaded at once, to show and to look something up. */
const pageSize = 20;
const lookupSize = 100;

/** How many pages are searched for a version. */
const mostPages = 10;

/**
 * The history of one entry while it is shown: its changes, newest first, as far as
 * they are loaded. Events: `change`.
 */
export class History extends EventTarget {
  #api;
  #id = null;
  #next = null;

  /** The entry as it is now; null if it is deleted, or not loaded. */
  expense = null;

  /** {seq, action, at, by, deviceId, version, changes: [{field, from, to}]} */
  entries = [];

  /** Whether the oldest loaded change is the first of all. */
  complete = false;

  /** Whether a page was loaded, and whether one is under way. */
  loaded = false;
  loading = false;

  /** The error of the last request, or null. */
  error = null;

  constructor(api) {
    super();
    this.#api = api;
  }

  /** Whether older changes can be loaded. */
  get more() {
    return this.#next !== null;
  }

  /** Whether all changes that are kept are loaded, and there were more. */
  get cut() {
    return this.loaded && !this.more && !this.complete;
  }

  /** Loads the newest changes of an entry. */
  async open(id) {
    this.#id = id;
    Object.assign(this, { expense: null, entries: [], complete: false, loaded: false });
    await this.#load(null);
  }

  /** Loads the newest changes again, without taking away what is shown. */
  reload() {
    return this.#load(null);
  }

  async loadMore() {
    await this.#load(this.#next);
  }

  close() {
    this.#id = null;
  }

  async #load(before) {
    const id = this.#id;
    Object.assign(this, { loading: true, error: null });
    this.#changed();
    const page = await this.#api.history(id, { before, limit: pageSize }).catch((err) => ({ error: err }));
    if (id !== this.#id) {
      return; // another entry was opened, or none
    }
    this.loading = false;
    page.error ? this.error = page.error : this.#add(page, before);
    this.#changed();
  }

  #add(page, before) {
    this.entries = before ? [...this.entries, ...page.entries] : page.entries;
    this.#next = page.next;
    Object.assign(this, { expense: page.expense, complete: page.complete, loaded: true });
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

/** The changes of an entry's fields down to a version, or as far as they are kept: {expense, entries}. */
export async function loadBackTo(api, id, version) {
  let page = await api.history(id, { limit: lookupSize });
  const { expense } = page;
  const entries = page.entries.filter(changesFields);
  for (let i = 1; i < mostPages && page.next && !(expense && reaches(entries, version)); i++) {
    page = await api.history(id, { before: page.next, limit: lookupSize });
    entries.push(...page.entries.filter(changesFields));
  }
  return { expense: expense ?? lastState(entries), deleted: expense === null, entries };
}

function changesFields({ action }) {
  return action !== 'shared';
}

function reaches(entries, version) {
  return entries.some((entry) => entry.version <= version);
}

// What the changes, from the oldest on, lead to; null if there are none.
function lastState(entries) {
  const fields = entries.toReversed().flatMap(({ changes }) => changes);
  return fields.length === 0 ? null : Object.fromEntries(fields.map(({ field, to }) => [field, to]));
}

/** The entry as it was at a version, or null if that is not known any more. */
export function stateAt({ expense, entries }, version) {
  const state = { ...expense };
  for (const { action, version: reached, changes } of entries) {
    if (reached <= version && action !== 'deleted') {
      return state;
    }
    if (action === 'lost' || changes.some(({ from }) => from === undefined)) {
      return null;
    }
    changes.forEach(({ field, from }) => { state[field] = from; });
  }
  return null;
}

/** The newest change after a version of any of these fields, or undefined. */
export function changeOf({ entries }, version, fields) {
  const later = entries.filter((entry) => !(entry.version <= version));
  return later.find(({ changes }) => changes.some(({ field }) => fields.includes(field)));
}
