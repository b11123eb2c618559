/** The texts of the list of entries. */
export const entries = {
  'entries.more': { one: '{count} more entry', other: '{count} more entries' },
};
