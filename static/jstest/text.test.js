import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { text } from '../js/text.js';
import { words } from '../js/words/en.js';

const folder = new URL('../js/', import.meta.url);

test('a text has its values in place and the plural form of its count', () => {
  assert.equal(text('entries.more', { count: 1 }), '1 more entry');
  assert.equal(text('entries.more', { count: 1_200 }), `${new Intl.NumberFormat().format(1_200)} more entries`);
});

test('every key that a module names is in the catalogue', () => {
  const modules = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.js') && !name.startsWith('words'));
  const sources = modules.map((name) => readFileSync(new URL(name, folder), 'utf8')).filter((source) => source.includes('/text.js\''));
  const named = sources.flatMap((source) => [...source.matchAll(/\btext\('([^']+)'/g)].map((match) => match[1]));
  assert.deepEqual(named.filter((key) => !(key in words)), []);
});
