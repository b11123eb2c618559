import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { listed, text, textParts } from '../js/text.js';
import { words } from '../js/words/en.js';

const folder = new URL('../js/', import.meta.url);

test('a text has its values in place and the plural form of its count', () => {
  assert.equal(text('entries.more', { count: 1 }), '1 more entry');
  assert.equal(text('entries.more', { count: 1_200 }), `${new Intl.NumberFormat().format(1_200)} more entries`);
});

test('a text has elements in place of values', () => {
  const element = { tagName: 'BDI' };
  assert.deepEqual(textParts('signout.waiting', { count: element }).slice(0, 1), [element]);
});

test('a name of another direction does not reorder the text around it', () => {
  assert.equal(text('budget.saved', { name: 'סופר' }), 'Saved budget \u2068סופר\u2069');
  assert.equal(listed(['Ann', 'Bob', 'סופר']), 'Ann, Bob, and \u2068סופר\u2069');
});

test('every key that a module names is in the catalogue', () => {
  const modules = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.js') && !name.startsWith('words'));
  const sources = modules.map((name) => readFileSync(new URL(name, folder), 'utf8')).filter((source) => source.includes('/text.js\''));
  const named = sources.flatMap((source) => [...source.matchAll(/(?<![.\w])text(?:Parts)?\('([^']+)'/g)].map((match) => match[1]));
  assert.deepEqual(named.filter((key) => !(key in words)), []);
});

const arabic = `import { words as english } from './en.js';
export const words = { ...english, 'entries.more': { two: 'قيدان', few: '{count} قيود', other: '{count} قيد' }, 'budget.saved': 'حفظ {name}' };
export const language = 'ar';
export const direction = 'rtl';
`;

test('another language is one file beside the English one', async (t) => {
  const copy = mkdtempSync(join(tmpdir(), 'words-'));
  t.after(() => rmSync(copy, { recursive: true }));
  cpSync(folder, copy, { recursive: true });
  writeFileSync(join(copy, 'package.json'), '{"type":"module"}');
  writeFileSync(join(copy, 'words', 'ar.js'), arabic);
  const page = join(copy, 'words', 'page.js');
  writeFileSync(page, readFileSync(page, 'utf8').replace("from './en.js'", "from './ar.js'"));
  const there = await import(join(copy, 'text.js'));
  const root = {};
  there.applyLanguage(root);
  assert.deepEqual(root, { lang: 'ar', dir: 'rtl' });
  assert.deepEqual([2, 3].map((count) => there.text('entries.more', { count }).replace(/[\u2066-\u2069]/g, '').replace(/^\S+ (?=قيود)/, '# ')), ['قيدان', '# قيود']);
  assert.equal(there.text('budget.saved', { name: 'Food' }), 'حفظ \u2068Food\u2069');
});
