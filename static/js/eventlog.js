/** How many events are kept. */
const kept = 100;

/**
 * The newest events that the server has sent to this page: when, which, and about what.
 * It keeps nothing of what people write or spend. Events: `change`.
 */
export class EventLog extends EventTarget {
  #now;

  /** {at, name, id}, newest first; id is '' for an event about nothing that has one. */
  events = [];

  /** How many there were since the page was opened. */
  count = 0;

  /** @param live the connection, which calls back for every event */
  constructor(live, now = Date.now) {
    super();
    this.#now = now;
    live.listenToAll((name, payload) => this.#add(name, payload));
  }

  #add(name, payload) {
    this.count++;
    this.events = [{ at: this.#now(), name, id: idIn(payload) }, ...this.events].slice(0, kept);
    this.dispatchEvent(new Event('change'));
  }
}

function idIn(payload) {
  const id = payload?._id ?? payload?.id ?? payload?.expenseId ?? payload?.budgetId;
  return typeof id === 'string' ? id : '';
}
