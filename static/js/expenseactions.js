import { isTemporary } from './queue.js';

/**
 * The actions on an expense. Each takes effect on the page at once, is queued, and
 * is sent as soon as the server can be reached.
 */
export function expenseActions({ queue, expenseList, sync, toast }) {
  function add(draft) {
    queue.create(draft);
    toast.announce(`Added ${draft.description}`);
    sync.run();
  }

  function edit(row, patch) {
    queue.update(expenseList.currentId(row.id), patch, row.version);
    toast.announce(`Saved ${patch.description ?? row.description}`);
    sync.run();
  }

  function remove(row) {
    const id = expenseList.currentId(row.id);
    queue.remove(id);
    toast.show(`Deleted ${row.description}`, () => undelete(id, row));
    sync.run();
  }

  function restore(row) {
    undelete(expenseList.currentId(row.id), row);
    toast.close();
  }

  // A deletion that the server has applied is final; the expense is created again
  // under a new id.
  function undelete(id, row) {
    if (isTemporary(id) || !queue.restore(id)) {
      queue.create(draftOf(row));
    }
    toast.announce(`${row.description} is back`);
    sync.run();
  }

  return { add, edit, remove, restore };
}

/** The fields of a row for a new expense like it. */
export function draftOf(row) {
  const { description, amount, category, type, date, day, currency, merchant, notes } = row;
  const draft = { description, amount, category, type, date, day, currency, merchant, notes };
  return Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== undefined && value !== ''));
}
