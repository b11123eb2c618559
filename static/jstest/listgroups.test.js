import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useZone } from '../js/days.js';
import { groupsOf } from '../js/listgroups.js';

useZone('UTC');
const now = Date.parse('2026-11-15T12:00:00Z');
const rowsOn = (...days) => days.map((day, i) => ({ key: String(i), day }));
const shape = (groups) => groups.map(({ key, all, rows }) => [key, all.length, rows.length]);

test('rows are grouped by day, as they come', () => {
  assert.deepEqual(shape(groupsOf(rowsOn('2026-11-15', '2026-11-15', '2026-11-02'), { now })), [['2026-11-15', 2, 2], ['2026-11-02', 1, 1]]);
  assert.deepEqual(groupsOf([], { now }), []);
});

test('what is to come is one group, folded if it is long and nobody unfolded it', () => {
  const few = rowsOn('2026-12-01', '2026-11-16', '2026-11-15');
  assert.deepEqual(shape(groupsOf(few, { now })), [['upcoming', 2, 2], ['2026-11-15', 1, 1]]);
  assert.deepEqual(groupsOf(few, { now })[0].rows.map((r) => r.day), ['2026-11-16', '2026-12-01']);
  assert.deepEqual(shape(groupsOf(few, { now, open: false })), [['upcoming', 2, 0], ['2026-11-15', 1, 1]]);
  const many = rowsOn(...Array(12).fill('2026-12-01'), '2026-11-15');
  assert.deepEqual(shape(groupsOf(many, { now })), [['upcoming', 12, 0], ['2026-11-15', 1, 1]]);
  assert.deepEqual(shape(groupsOf(many, { now, open: true })), [['upcoming', 12, 12], ['2026-11-15', 1, 1]]);
});

test('a month to come does not look empty', () => {
  const month = rowsOn(...Array(12).fill('2026-12-01'));
  assert.deepEqual(shape(groupsOf(month, { now })), [['upcoming', 12, 12]]);
  assert.deepEqual(shape(groupsOf(month, { now, open: false })), [['upcoming', 12, 0]]);
});
