import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expenseActions } from '../js/expenseactions.js';

test('taking back a deletion moved the entry to the day before', () => {
  const made = [];
  const queue = { remove() {}, restore: () => false, create: (draft) => made.push(draft) };
  let undo;
  const toast = { show: (_, act) => { undo = act; }, announce() {} };
  const { remove } = expenseActions({ queue, toast, expenseList: { currentId: (id) => id }, sync: { run() {} } });
  remove({ id: '1', amount: 10, type: 'expense', date: '2026-10-01T00:00:00.000Z', day: '2026-10-01' });
  undo();
  assert.deepEqual(made, [{ amount: 10, type: 'expense', date: '2026-10-01T00:00:00.000Z', day: '2026-10-01' }]);
});
