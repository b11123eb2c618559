/** The fields by which two copies of an expense are the same. */
const compared = ['version', 'description', 'amount', 'category', 'type', 'date', 'day', 'currency', 'merchant', 'notes', 'tags', 'shared'];

/**
 * Compares the copy in this browser with everything that the server has, and mends it.
 * Changes that wait to be sent are no part of the copy.
 */
export class Comparison {
  #api;
  #book;
  #expenseList;
  #sync;

  constructor({ api, book, expenseList, sync }) {
    this.#api = api;
    this.#book = book;
    this.#expenseList = expenseList;
    this.#sync = sync;
  }

  /** How many expenses the server had when it was asked last. */
  total = 0;

  /**
   * Returns the ids that differ: {missing, extra, different}, as they were before the copy
   * was loaded anew, which happens if there are any. It throws if the server cannot be asked.
   */
  async run() {
    await this.#settle();
    const before = new Set(this.#book.ids());
    const { expenses } = await this.#api.changes(null);
    this.total = expenses.length;
    const found = this.#differences(expenses, before);
    if (Object.values(found).some((ids) => ids.length > 0)) {
      this.#expenseList.distrust();
      await this.#settle();
    }
    return found;
  }

  // What came or changed here while the server answered is newer than its answer.
  #differences(expenses, before) {
    const theirs = new Set(expenses.map((e) => e._id));
    const known = expenses.filter((e) => this.#book.get(e._id));
    return {
      missing: expenses.filter((e) => !this.#book.get(e._id) && !before.has(e._id)).map((e) => e._id),
      extra: this.#book.ids().filter((id) => before.has(id) && !theirs.has(id)),
      different: known.filter((e) => differ(e, this.#book.get(e._id))).map((e) => e._id),
    };
  }

  async #settle() {
    await this.#sync.refresh();
    while (this.#sync.busy) {
      await new Promise((resolve) => this.#sync.addEventListener('change', resolve, { once: true }));
    }
    if (this.#sync.error) {
      throw this.#sync.error;
    }
  }
}

function differ(theirs, ours) {
  return !(ours.version > theirs.version) && compared.some((name) => JSON.stringify(theirs[name]) !== JSON.stringify(ours[name]));
}
