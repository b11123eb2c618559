import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pressShortcut, shortcutOf, shortcuts, shortcutTexts } from '../js/shortcuts.js';

const field = { closest: (selector) => (selector.includes('input') ? {} : null) };
const page = { closest: () => null, matches: () => false };
const row = { closest: () => null, matches: (selector) => selector === '.row' };
const press = (key, more = {}) => ({ key, target: page, preventDefault() { this.taken = true; }, ...more });
const closed = { querySelector: () => null };

test('each key stands in the table once, and each line has its words', () => {
  const keys = shortcuts.flatMap((s) => s.keys);
  assert.equal(new Set(keys).size, keys.length);
  assert.deepEqual(shortcutTexts().map(({ keys: shown }) => shown.join(' ')), ['n', '/', '↓', '↑', 'e Enter', 'd', 'Del', 'Esc', '?']);
  assert.ok(shortcutTexts().every(({ what }) => what.length > 3));
});

test('no key acts while somebody types or holds another key', () => {
  for (const { keys } of shortcuts) {
    for (const key of keys) {
      assert.ok(shortcutOf(press(key)), key);
      assert.equal(shortcutOf(press(key, { target: field })), undefined, `${key} in a field`);
      for (const held of ['ctrlKey', 'altKey', 'metaKey', 'isComposing', 'defaultPrevented']) {
        assert.equal(shortcutOf(press(key, { [held]: true })), undefined, `${held} ${key}`);
      }
    }
  }
});

test('shift makes a sign, and is no part of a letter', () => {
  assert.equal(shortcutOf(press('?', { shiftKey: true }))?.says, 'shortcuts.help');
  assert.equal(shortcutOf(press('N', { shiftKey: true })), undefined);
  assert.equal(shortcutOf(press('N'))?.says, 'shortcuts.new'); // caps lock
});

test('keys of a row act on the row that has the focus, else they are the browser’s', () => {
  const done = [];
  const list = { current: () => null, edit: (r) => done.push(['edit', r]), remove: (r) => done.push(['remove', r]) };
  const context = { list, duplicate: (r) => done.push(['duplicate', r]) };
  const without = press('e');
  pressShortcut(context, without, closed);
  assert.ok(!without.taken && done.length === 0);
  list.current = () => 'the row';
  ['e', 'd', 'Delete'].forEach((key) => pressShortcut(context, press(key), closed));
  pressShortcut(context, press('Enter'), closed); // on a button of the row
  pressShortcut(context, press('Enter', { target: row }), closed);
  assert.deepEqual(done, [['edit', 'the row'], ['duplicate', 'the row'], ['remove', 'the row'], ['edit', 'the row']]);
});

test('no key acts behind a dialog', () => {
  const event = press('n');
  pressShortcut({ addEntry: () => assert.fail('a new entry') }, event, { querySelector: () => ({}) });
  assert.ok(!event.taken);
});

test('Escape closes the message before it clears the search', () => {
  const done = [];
  const toast = { isOpen: true, close() { this.isOpen = false; done.push('message'); } };
  const context = { toast, navigation: { search: (q) => done.push(`search ${q}|`) } };
  pressShortcut(context, press('Escape'), closed);
  pressShortcut(context, press('Escape'), closed);
  assert.deepEqual(done, ['message', 'search |']);
});
