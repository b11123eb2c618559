import { isTemporary } from './queue.js';

/**
 * What a person can do to an expense. Each takes effect on the page at once,
 * waits in the queue, and goes to the server as soon as there is one.
 */
export function actionsOf({ queue, book, sync, toast }) {
  function add(draft) {
    queue.create(draft);
    toast.whisper(`Added ${draft.description}`);
    sync.kick();
  }

  function edit(row, patch) {
    queue.update(book.currentId(row.id), patch, row.version);
    toast.whisper(`Saved ${patch.description ?? row.description}`);
    sync.kick();
  }

  function remove(row) {
    const id = book.currentId(row.id);
    queue.remove(id);
    toast.say(`Deleted ${row.description}`, () => undelete(id, row));
    sync.kick();
  }

  function restore(row) {
    undelete(book.currentId(row.id), row);
    toast.close();
  }

  // A deletion that has reached the server is final there; the same expense
  // comes back under a new id.
  function undelete(id, row) {
    if (isTemporary(id) || !queue.restore(id)) {
      queue.create(draftOf(row));
    }
    toast.whisper(`${row.description} is back`);
    sync.kick();
  }

  return { add, edit, remove, restore };
}

/** The fields of a row that a person chose, for a new expense like it. */
export function draftOf(row) {
  const { description, amount, category, type, date, day, currency, merchant, notes } = row;
  const draft = { description, amount, category, type, date, day, currency, merchant, notes };
  return Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== undefined && value !== ''));
}
