import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BookChunks } from '../js/bookchunks.js';
import { random } from './fakes.js';

const row = (i, version = 1) => ({ _id: String(i), version });
const rows = (n) => Array.from({ length: n }, (_, i) => row(i));

/** The texts that a browser has after what has changed was written. */
function written(chunks, texts = []) {
  chunks.takeChanged().forEach((number) => { texts[number] = chunks.text(number); });
  return texts;
}

test('a change writes the chunk of its row and no other', () => {
  const chunks = new BookChunks();
  chunks.replace(rows(1200));
  const texts = written(chunks);
  assert.equal(texts.length, 3);
  chunks.set(row(700, 2));
  assert.deepEqual(chunks.takeChanged(), [1]);
  chunks.set(row(1200));
  chunks.delete('3');
  chunks.delete('none');
  assert.deepEqual(chunks.takeChanged(), [2, 0]);
  assert.deepEqual(chunks.takeChanged(), []);
});

test('what was written is what is read, whatever came and went', () => {
  const { below } = random(7);
  const chunks = new BookChunks();
  const [known, texts] = [new Map(), []];
  for (let i = 0; i < 3000; i++) {
    const id = below(1500);
    if (below(10) < 3) {
      chunks.delete(String(id));
      known.delete(String(id));
    } else {
      chunks.set(row(id, i));
      known.set(String(id), row(id, i));
    }
    i % 100 === 0 && written(chunks, texts);
  }
  const read = new BookChunks(written(chunks, texts));
  const sorted = (list) => [...list].sort((a, b) => a._id - b._id);
  assert.deepEqual(sorted(read.rows()), sorted(known.values()));
  assert.deepEqual(read.takeChanged(), []);
});

test('an empty book has no chunks', () => {
  assert.deepEqual([new BookChunks([]).rows(), new BookChunks(['[]']).rows()], [[], []]);
});
