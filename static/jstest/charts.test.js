import assert from 'node:assert/strict';
import { test } from 'node:test';
import { categoryBars, flowBars, labelPlace, labelStep, ticks } from '../js/charts.js';

test('an axis has few, round and even steps that reach the largest value', () => {
  for (const max of [0.01, 0.3, 1, 7, 12.5, 99.999, 100, 101, 3200, 8_999_999, 9e15]) {
    const steps = ticks(max);
    assert.ok(steps.length <= 6, `${max}: ${steps}`);
    assert.ok(steps.at(-1) >= max * (1 - 1e-9) && steps.at(-2) < max, `${max}: ${steps}`);
  }
  assert.deepEqual([ticks(100), ticks(3200), ticks(0), ticks(-1)], [[0, 25, 50, 75, 100], [0, 1000, 2000, 3000, 4000], [0], [0]]);
});

test('categories stand by size, the largest as wide as there is room, none too thin to see', () => {
  const { bars, height } = categoryBars([
    { category: 'food', total: 25, percentage: 25 }, { category: 'bills', total: 75, percentage: 75 },
    { category: 'other', total: 0.01, percentage: 0.01 }, { category: 'travel', total: 0, percentage: 0 },
  ], 300, 40);
  assert.deepEqual(bars.map((b) => [b.category, b.y, b.width]), [['bills', 0, 300], ['food', 40, 100], ['other', 80, 2]]);
  assert.equal(height, 120);
});

test('income and spending are drawn on one scale, on their sides of the line', () => {
  const area = { left: 10, top: 0, width: 100, height: 150 };
  const { zero, slots, grid } = flowBars([{ key: 'a', income: 100, expense: 50 }, { key: 'b', income: 0, expense: 0.001 }], area);
  assert.equal(zero, 100); // 100 up, 50 down
  assert.deepEqual(slots.map(({ x, width, up, down }) => [x, width, up, down]), [[10, 50, 100, 50], [60, 50, 0, 2]]);
  assert.deepEqual(grid.map((g) => [g.y, g.value]), [[0, 100], [25, 75], [50, 50], [75, 25], [100, 0], [125, 25], [150, 50]]);
});

test('a side with nothing on it takes no room', () => {
  const area = { left: 0, top: 5, width: 100, height: 100 };
  assert.equal(flowBars([{ key: 'a', income: 0, expense: 80 }], area).zero, 5);
  assert.equal(flowBars([{ key: 'a', income: 80, expense: 0 }], area).zero, 105);
  assert.deepEqual(flowBars([], area).slots, []);
});

test('labels never stand on each other', () => {
  assert.deepEqual([labelStep(30, 300, 56), labelStep(12, 480, 40), labelStep(3, 0, 40)].map((n) => n >= 1), [true, true, true]);
  assert.equal(labelStep(30, 300, 50), 5);
});

test('the label of the last bar is not cut off', () => {
  assert.deepEqual(labelPlace({ x: 100, width: 9 }, 300), { x: 105, 'text-anchor': 'middle' });
  assert.deepEqual(labelPlace({ x: 290, width: 10 }, 300), { x: 300, 'text-anchor': 'end' });
});
