/** The texts around the panels, and those that many share. */
export const frame = {
  'frame.title': 'ExpenseFlow',
  'frame.menu': 'Menu',
  'frame.views': 'Views',
  'frame.entries': 'Entries',
  'frame.overview': 'Overview',
  'frame.alerts': { one: '{number} alert', other: '{number} alerts' },
  'frame.number': '{count}',
  'frame.notaccepted': { one: '{count} change was not accepted.', other: '{count} changes were not accepted.' },
  'frame.show': 'Show',
  'frame.ended': 'Your session has ended. Sign in again to go on.',
  'frame.endedkept': {
    one: 'Your session has ended. Sign in again to send the {count} change that is kept here.',
    other: 'Your session has ended. Sign in again to send the {count} changes that are kept here.',
  },
  'frame.accountdeleted': 'Your account has been deleted.',
  'frame.close': 'Close',
  'frame.cancel': 'Cancel',
};
