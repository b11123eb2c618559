/** The texts of exporting the account. */
export const exporting = {
  'exporting.title': 'Export',
  'exporting.close': 'Close',
  'exporting.hint': 'Everything is a file that “Import” reads again, here or on another server of this program. '
    + 'Entries are a table for spreadsheets and other programs. Changes that wait for the server are not in it.',
  'exporting.json': 'Everything (JSON)',
  'exporting.csv': 'Entries (CSV)',
  'exporting.running': 'Exporting…',
  'exporting.done': 'Saved as {name}.',
};
