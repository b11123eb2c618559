import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
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
