/** Whether a row belongs to another user, who shares it. */
export function isForeign(row) {
  return Boolean(row.sharedBy);
}

/** Whether this person may change a row: it is theirs, or they are an editor of it. */
export function mayEdit(row) {
  return !isForeign(row) || row.role === 'editor';
}

/** Whether this person may delete a row and share it. */
export function mayRemove(row) {
  return !isForeign(row);
}
