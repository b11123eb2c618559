import { allMonths } from './address.js';
import { rowsOfPlace } from './filter.js';
import { monthInWords, monthOf } from './months.js';
import { isForeign } from './permissions.js';
import { isTemporary } from './queue.js';
import { text } from './text.js';

/**
 * The actions on an expense. Each takes effect on the page at once, is queued, and
 * is sent as soon as the server can be reached. Changes and deletions can be undone.
 */
export function expenseActions({ queue, expenseList, sync, toast, navigation }) {
  function add(draft) {
    queue.create(draft);
    tellAdded(draft, monthOf(draft.day));
    sync.run();
  }

  // An entry that the month, the search or a filter hides would seem lost.
  function tellAdded(draft, month) {
    const show = () => navigation.find({ month });
    if (![month, allMonths].includes(navigation.month)) {
      hideWhenShown(month, toast.showWithLink(text('form.added', draft), text('find.showMonth', { month: monthInWords(month) }), show));
    } else if (rowsOfPlace([draft], navigation.place).length === 0) {
      toast.showWithLink(text('form.hidden', draft), text('frame.show'), show);
    } else {
      toast.announce(text('form.added', draft));
    }
  }

  // What leads to a month is of no use once that is shown.
  function hideWhenShown(month, hide) {
    const look = () => {
      if ([month, allMonths].includes(navigation.month)) {
        navigation.removeEventListener('change', look);
        hide();
      }
    };
    navigation.addEventListener('change', look);
  }

  function edit(row, patch) {
    queue.update(expenseList.currentId(row.id), patch, row.version);
    toast.show(text('form.saved', { ...row, ...patch }), () => unedit(row, patch));
    sync.run();
  }

  // Undoing is one more change, of the same fields and from the version that is shown: what
  // others changed meanwhile in other fields stays, and a change of theirs that is not here
  // yet makes the server refuse ours.
  function unedit(before, patch) {
    const row = expenseList.row(before.id);
    if (!row || row.pending === 'DELETE') {
      toast.showFailure(text(isForeign(before) ? 'form.lostSince' : 'form.goneSince', before));
    } else if (!hasStill(row, patch)) {
      toast.showFailure(text('form.changedSince', row));
    } else {
      queue.update(row.id, undoOf(before, patch), row.version);
      toast.announce(text('form.undone', before));
      sync.run();
    }
  }

  function remove(row) {
    const id = expenseList.currentId(row.id);
    queue.remove(id);
    toast.show(text('form.deleted', row), () => undelete(id, row));
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
    toast.announce(text('form.back', row));
    sync.run();
  }

  return { add, edit, remove, restore };
}

/** The fields of a row for a new expense like it. */
export function draftOf(row) {
  const { description, amount, category, type, date, day, currency, merchant, notes, tags } = row;
  const draft = { description, amount, category, type, date, day, currency, merchant, notes, tags };
  return Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== undefined && value !== ''));
}

/** The patch that takes a patch of a row back. */
export function undoOf(before, patch) {
  return Object.fromEntries(Object.keys(patch).map((name) => [name, before[name] ?? empty(name)]));
}

/** Whether a row has what a patch set. The day says when it was; a date may come back in other words. */
export function hasStill(row, patch) {
  return Object.entries(patch).every(([name, value]) => {
    return name === 'date' && patch.day ? true : JSON.stringify(row[name] ?? empty(name)) === JSON.stringify(value);
  });
}

function empty(name) {
  return name === 'tags' ? [] : '';
}
