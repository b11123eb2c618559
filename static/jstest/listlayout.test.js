import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ListLayout } from '../js/listlayout.js';

const sizes = { row: 10, before: 5, after: 1, gap: 4 };
const groups = [3, 0, 2].map((n, g) => ({ rows: Array.from({ length: n }, (_, i) => ({ key: `${g}.${i}` })) }));
const layout = new ListLayout(groups, sizes);

test('groups stand below each other, an empty one with its heading only', () => {
  assert.deepEqual([0, 1, 2].map((g) => layout.topOfGroup(g)), [0, 40, 49]);
  assert.deepEqual([layout.count, layout.height], [5, 75]);
  assert.deepEqual([0, 2, 3, 4].map((i) => layout.topOfRow(i)), [5, 25, 54, 64]);
  assert.equal(new ListLayout([], sizes).height, 0);
});

test('a row is found by its key, its index and its height', () => {
  assert.deepEqual(['0.0', '0.2', '2.1', '1.0'].map((key) => layout.indexOf(key)), [0, 2, 4, -1]);
  assert.deepEqual(layout.at(3), { group: 2, row: 0 });
  assert.deepEqual([-9, 0, 14, 15, 36, 63, 64, 74].map((y) => layout.rowAt(y)), [0, 0, 0, 1, 3, 3, 4, -1]);
});

test('between two heights are the rows that stand there, and no others', () => {
  assert.deepEqual(layout.between(0, 20), [{ group: 0, places: [0, 1] }]);
  assert.deepEqual(layout.between(26, 60), [{ group: 0, places: [2] }, { group: 1, places: [] }, { group: 2, places: [0] }]);
  assert.deepEqual(layout.between(-Infinity, Infinity).flatMap((part) => part.places), [0, 1, 2, 0, 1]);
  assert.deepEqual(layout.between(-100, -50), []);
  assert.deepEqual(new ListLayout([], sizes).between(0, 100), []);
});

test('in a list of 100,000 rows each height finds its row, and a far one comes with its neighbours', () => {
  const many = new ListLayout([{ rows: Array.from({ length: 100_000 }, (_, i) => ({ key: i })) }], sizes);
  for (const index of [0, 1, 49_999, 99_999]) {
    const top = many.topOfRow(index);
    assert.equal(many.rowAt(top + 1), index);
    assert.deepEqual(many.between(top, top + 1), [{ group: 0, places: [index] }]);
  }
  assert.deepEqual(many.between(0, 20, 99_998), [{ group: 0, places: [0, 1, 99_996, 99_997, 99_998, 99_999] }]);
  assert.deepEqual(many.between(0, 20, 1), [{ group: 0, places: [0, 1, 2, 3] }]);
  assert.deepEqual(layout.between(0, 6, 4), [{ group: 0, places: [0] }, { group: 2, places: [0, 1] }]);
});
