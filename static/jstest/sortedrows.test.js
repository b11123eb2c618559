import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orderOf, SortedRows } from '../js/sortedrows.js';
import { random } from './fakes.js';

function row(id, day, pending = false) {
  const it = { id: pending ? `temp_${id}` : String(id).padStart(24, '0'), date: `${day}T00:00:00.000Z`, day };
  return { ...it, order: orderOf(it) };
}

test('rows put in their places one by one or merged stand as if sorted anew', () => {
  const { below, pick } = random(1);
  const sorted = new SortedRows();
  let [model, next] = [[], 0];
  for (let step = 0; step < 300; step++) {
    const few = below(3) > 0;
    const gone = model.filter(() => below(few ? 40 : 3) === 0);
    const come = Array.from({ length: below(few ? 5 : 120) }, () => row(next++, `20${pick(['19', '25', '26'])}-0${1 + below(9)}-1${below(9)}`, below(5) === 0));
    model = [...model.filter((r) => !gone.includes(r)), ...come].sort((a, b) => (a.order < b.order ? 1 : -1));
    const before = sorted.all;
    sorted.replace(gone, come);
    assert.deepEqual(sorted.all, model);
    assert.equal(before === sorted.all, gone.length + come.length === 0, 'the array is another exactly if something changed');
  }
});

test('months are told with where they begin and how many rows they have', () => {
  const sorted = new SortedRows();
  sorted.replace([], [row(1, '2026-11-30'), row(2, '2026-11-01'), row(3, '2026-10-31'), row(4, '2024-12-31')]);
  assert.deepEqual(sorted.months(), [
    { month: '2026-11', start: 0, count: 2 }, { month: '2026-10', start: 2, count: 1 }, { month: '2024-12', start: 3, count: 1 },
  ]);
  assert.deepEqual(['2027', '2026-11-30', '2026-11', '2026-10', '2024'].map((text) => sorted.endOf(text)), [0, 1, 2, 3, 4]);
});
