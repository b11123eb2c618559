import { HttpError } from './httpclient.js';
import { changeOf, loadBackTo, stateAt } from './history.js';
import { decisions, merged, mineOnly } from './merge.js';

/**
 * Both sides of a parked change of an entry that was changed or deleted meanwhile. A deletion is never
 * parked for that: whoever deletes means the entry, whatever is in it.
 *
 *  - kind `both`: the entry is there; `decisions` are the differences (merge.js).
 *  - kind `deleted`: it was deleted, as `change` says; `theirs` is its last state.
 *  - kind `gone`: nothing is known of it any more.
 */
export async function conflictOf(api, op) {
  const { version, ...patch } = op.data ?? {};
  const found = await loadBackTo(api, op.resourceId, version).catch((err) => {
    if (err instanceof HttpError && err.status === 404) {
      return null;
    }
    throw err;
  });
  if (!found || (found.deleted && !found.expense)) {
    return { kind: 'gone', op, patch };
  }
  const common = { op, patch, theirs: found.expense, change: found.entries[0], changeOf: (fields) => changeOf(found, version, fields) };
  if (found.deleted) {
    return { kind: 'deleted', ...common };
  }
  const base = version === undefined ? null : stateAt(found, version);
  return { kind: 'both', ...common, base, decisions: decisions({ base, patch, theirs: found.expense }) };
}

/** The data by which a change is retried with this person's values, or with the chosen ones; null if nothing is left to change. */
export function mineData(conflict) {
  return withVersion(conflict, mineOnly(conflict.decisions));
}

export function mergedData(conflict, choices) {
  return withVersion(conflict, merged(conflict.decisions, choices));
}

/** The data of a new entry like the deleted one, with this person's changes. */
export function draftAgain({ theirs, patch }) {
  const fields = ['description', 'amount', 'category', 'type', 'date', 'day', 'currency', 'merchant', 'notes', 'tags'];
  const entry = { ...theirs, ...patch };
  return Object.fromEntries(fields.filter((f) => entry[f] !== undefined && entry[f] !== null && entry[f] !== '').map((f) => [f, entry[f]]));
}

// With the version that is shown: what is changed after that conflicts again.
function withVersion({ theirs }, fields) {
  return Object.keys(fields).length === 0 ? null : { ...fields, version: theirs.version };
}
