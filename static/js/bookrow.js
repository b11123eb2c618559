/** A row with the device that made it, which is told once, by the event or log entry of that; `device` keeps it. */
export function withDevice(row, device) {
  return device && !row.device ? { ...row, device } : row;
}

/** Of expenses by id, those of a person who is called otherwise now, with the new name; none without a person. */
export function renamed(expenses, { id, name } = {}) {
  const old = id ? [...expenses.values()].filter(({ sharedBy }) => sharedBy?.id === id && sharedBy.name !== name) : [];
  return old.map((row) => ({ ...row, sharedBy: { ...row.sharedBy, name } }));
}

/** Whether an expense as the server tells it is not older than the stored row, which may be undefined. */
export function isNewer(expense, stored) {
  if (!stored) {
    return true;
  }
  if (Number.isFinite(expense.version) && Number.isFinite(stored.version)) {
    return expense.version >= stored.version;
  }
  return (expense.updatedAt ?? '') >= (stored.updatedAt ?? '');
}
