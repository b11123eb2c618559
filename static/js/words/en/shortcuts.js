/** The texts of the keyboard shortcuts. */
export const shortcuts = {
  'shortcuts.title': 'Keyboard shortcuts',
  'shortcuts.new': 'New entry',
  'shortcuts.search': 'Search',
  'shortcuts.next': 'Next entry',
  'shortcuts.previous': 'Previous entry',
  'shortcuts.edit': 'Edit the entry',
  'shortcuts.duplicate': 'Duplicate the entry',
  'shortcuts.delete': 'Delete the entry',
  'shortcuts.close': 'Close a message or dialog, or clear the search',
  'shortcuts.help': 'Show these shortcuts',
  'key.down': '↓',
  'key.up': '↑',
  'key.enter': 'Enter',
  'key.escape': 'Esc',
  'key.delete': 'Del',
};
