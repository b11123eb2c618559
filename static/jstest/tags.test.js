import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTags, tagsBeyond, typedTags } from '../js/tags.js';
import { changed, filled } from '../js/panels/expensevalues.js';

test('tags are read as the server keeps them', () => {
  assert.deepEqual(readTags(' work, trip  to\tRome ,,WORK, '), ['work', 'trip to Rome']);
  assert.deepEqual(readTags(' , '), []);
  assert.deepEqual(readTags(typedTags(['a', 'B c'])), ['a', 'B c']);
});

test('too many tags and long ones are told apart', () => {
  assert.equal(tagsBeyond(Array(11).fill('a')), 'many');
  assert.equal(tagsBeyond(['x'.repeat(31)]), 'long');
  assert.equal(tagsBeyond(Array(10).fill('x'.repeat(30))), '');
});

test('only tags that were changed are sent, and none of a new entry without tags', () => {
  assert.deepEqual(filled({ description: 'Tea', notes: '', tags: [] }), { description: 'Tea' });
  assert.deepEqual(changed({ description: 'Tea' }, { description: 'Tea', tags: [] }), {});
  assert.deepEqual(changed({ tags: ['a', 'b'] }, { tags: ['a', 'b'] }), {});
  assert.deepEqual(changed({ tags: ['a', 'b'] }, { tags: ['b', 'a'] }), { tags: ['b', 'a'] });
  assert.deepEqual(changed({ tags: ['a'], notes: 'n' }, { tags: [], notes: '' }), { tags: [], notes: '' });
});
