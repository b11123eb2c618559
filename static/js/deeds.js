import { text } from './text.js';

/**
 * Notifications of what another person did with an entry: what they say here, where the
 * entry's name is known, and what opens from them. The server's text names no entry, because
 * its reader may have lost the right to it.
 */
const kinds = ['expense_edited', 'expense_commented', 'expense_shared', 'invitation_received'];

export function isDeed({ type, data }) {
  return kinds.includes(type) && Boolean(data?.userName);
}

export function deedTitle({ type }) {
  return text(`notifications.${type}.title`);
}

/** What it says, given the entry's row, which may be missing, and whether it is an invitation that waits no longer. */
export function deedText({ type, data }, row, isAnswered = false) {
  if (isAnswered) {
    return row ? deedText({ type: 'expense_shared', data }, row) : text('notifications.answered', { name: data.userName });
  }
  if (!data.expenseId) {
    return text(`notifications.${type}.several`, { name: data.userName });
  }
  const entry = row ? `“${row.description}”` : text('notifications.some.entry');
  return text(`notifications.${type}`, { name: data.userName, entry, count: data.count });
}

/**
 * What opens from it: 'people' or 'edit' with the row, 'invitations', or 'gone'; 'unknown'
 * while the entries are not loaded. null if it is about several.
 */
export function opens({ type, data }, { row, loaded, invited, mayEdit }) {
  if (type === 'invitation_received' && !row) {
    return invited || !data.expenseId ? 'invitations' : 'gone';
  }
  if (!data.expenseId) {
    return null;
  }
  if (!row) {
    return loaded ? 'gone' : 'unknown';
  }
  return type === 'expense_edited' && mayEdit(row) ? 'edit' : 'people';
}
