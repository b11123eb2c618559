import { text } from './text.js';

/**
 * The keys of the page: one table, from which they are handled and the dialog that
 * lists them is made. A key acts only while nobody types, no dialog is open and no
 * other key is held; so it never takes a letter from a text.
 *
 * `act` receives the context of the page, and returns false where it does nothing,
 * which leaves the key to the browser.
 */
export const shortcuts = [
  { keys: ['n'], says: 'shortcuts.new', act: ({ addEntry }) => addEntry() },
  { keys: ['/'], says: 'shortcuts.search', act: ({ list }) => list.focusSearch() },
  { keys: ['ArrowDown'], says: 'shortcuts.next', act: ({ list, navigation }) => inEntries(navigation) && list.next() },
  { keys: ['ArrowUp'], says: 'shortcuts.previous', act: ({ list, navigation }) => inEntries(navigation) && list.previous() },
  { keys: ['e', 'Enter'], says: 'shortcuts.edit', act: ({ list }, event) => onRow(list, event, (row) => list.edit(row)) },
  { keys: ['d'], says: 'shortcuts.duplicate', act: ({ list, duplicate }, event) => onRow(list, event, duplicate) },
  { keys: ['Delete'], says: 'shortcuts.delete', act: ({ list }, event) => onRow(list, event, (row) => list.remove(row)) },
  { keys: ['Escape'], says: 'shortcuts.close', act: closeOrClear },
  { keys: ['?'], says: 'shortcuts.help', act: ({ showShortcuts }) => showShortcuts() },
];

/** The names of keys that stand for no letter or sign. */
const keyNames = { ArrowDown: 'key.down', ArrowUp: 'key.up', Enter: 'key.enter', Escape: 'key.escape', Delete: 'key.delete' };

/** The shortcuts as people read them: {keys, what}. */
export function shortcutTexts() {
  return shortcuts.map(({ keys, says }) => ({ keys: keys.map((key) => (keyNames[key] ? text(keyNames[key]) : key)), what: text(says) }));
}

/** The shortcut of a keyboard event, or undefined. */
export function shortcutOf(event) {
  const held = event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.defaultPrevented;
  if (held || isTyping(event.target)) {
    return undefined;
  }
  return shortcuts.find(({ keys }) => keys.includes(event.key) || (event.key.length === 1 && !event.shiftKey && keys.includes(event.key.toLowerCase())));
}

function isTyping(target) {
  return Boolean(target?.isContentEditable || target?.closest?.('input, textarea, select, dialog, [role="menu"]'));
}

/** Does what a pressed key means, if it means anything here and now. */
export function pressShortcut(context, event, page = document) {
  if (page.querySelector('dialog[open], :popover-open')) {
    return;
  }
  const shortcut = shortcutOf(event);
  if (shortcut && shortcut.act(context, event) !== false) {
    event.preventDefault();
  }
}

function inEntries(navigation) {
  return navigation.current === 'entries';
}

function closeOrClear({ toast, navigation }) {
  toast.isOpen ? toast.close() : navigation.search('');
}

// On a button of a row, Enter presses the button.
function onRow(list, { key, target }, act) {
  const row = list.current();
  if (!row || (key === 'Enter' && !target.matches('.row'))) {
    return false;
  }
  act(row);
  return true;
}
