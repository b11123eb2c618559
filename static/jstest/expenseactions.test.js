import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeOf } from '../js/address.js';
import { expenseActions, hasStill, undoOf } from '../js/expenseactions.js';
import { ExpenseList } from '../js/expenselist.js';
import { Queue } from '../js/queue.js';
import { browserStorage } from '../js/storage.js';
import { applied, FakeDisk, snapshot } from './fakes.js';

test('taking back a deletion moved the entry to the day before', () => {
  const made = [];
  const queue = { remove() {}, restore: () => false, create: (draft) => made.push(draft) };
  let undo;
  const toast = { show: (_, act) => { undo = act; }, announce() {} };
  const { remove } = expenseActions({ queue, toast, expenseList: { currentId: (id) => id }, sync: { run() {} } });
  remove({ id: '1', description: 'Tea', amount: 10, type: 'expense', date: '2026-10-01T00:00:00.000Z', day: '2026-10-01' });
  undo();
  assert.deepEqual(made, [{ description: 'Tea', amount: 10, type: 'expense', date: '2026-10-01T00:00:00.000Z', day: '2026-10-01' }]);
});

const tea = { _id: 'a1', description: 'Tea', amount: 3, type: 'expense', category: 'food', date: '2026-10-01T08:00:00.000Z', day: '2026-10-01', version: 4 };

/** A page that shows tea, and what its messages offer. */
async function openPage() {
  const queue = new Queue({ storage: browserStorage(new FakeDisk()), userId: 'u', deviceId: 'd' });
  const expenseList = new ExpenseList({ queue, deviceId: 'd' });
  await expenseList.catchUp(async () => snapshot([tea]));
  const said = [];
  const page = { queue, expenseList, said, undo: null };
  const toast = { show: (words, undo) => { said.push(words); page.undo = undo ?? null; }, showFailure: (words) => { said.push(words); page.undo = null; }, announce: (words) => said.push(words), close() {} };
  page.actions = expenseActions({ queue, expenseList, toast, sync: { run() {} } });
  page.row = () => expenseList.row('a1');
  page.answer = (version) => {
    const batch = queue.nextBatch(10);
    const results = batch.map((op) => applied(op, { ...tea, ...op.data, version }));
    expenseList.applyOutcomes(queue.applyResults(batch, results));
  };
  return page;
}

test('undoing an edit that the server has is one more change, from the version that it made', async () => {
  const page = await openPage();
  page.actions.edit(page.row(), { description: 'Coffee', tags: ['work'] });
  page.answer(5);
  page.undo();
  const [op] = page.queue.pending();
  assert.deepEqual(op.data, { description: 'Tea', tags: [], version: 5 });
  assert.equal(page.row().description, 'Tea');
});

test('undoing an edit that is on its way gets the version of its answer', async () => {
  const page = await openPage();
  page.actions.edit(page.row(), { amount: 7 });
  const batch = page.queue.nextBatch(10);
  page.undo();
  page.expenseList.applyOutcomes(page.queue.applyResults(batch, batch.map((op) => applied(op, { ...tea, amount: 7, version: 5 }))));
  assert.deepEqual(page.queue.pending().map((op) => op.data), [{ amount: 3, version: 5 }]);
});

test('undoing an edit that was not sent leaves nothing else to send', async () => {
  const page = await openPage();
  page.actions.edit(page.row(), { amount: 7 });
  page.undo();
  assert.deepEqual(page.queue.pending().map((op) => op.data), [{ amount: 3, version: 4 }]);
});

test('undoing keeps what others changed in other fields, and never overwrites their change of the same', async () => {
  const page = await openPage();
  page.actions.edit(page.row(), { amount: 7 });
  page.answer(5);
  page.expenseList.applyEvent({ kind: 'updated', id: 'a1', expense: { ...tea, amount: 7, notes: 'theirs', version: 6 } });
  page.undo();
  assert.deepEqual(page.queue.pending().map((op) => op.data), [{ amount: 3, version: 6 }]);

  const other = await openPage();
  other.actions.edit(other.row(), { amount: 7 });
  other.answer(5);
  other.expenseList.applyEvent({ kind: 'updated', id: 'a1', expense: { ...tea, amount: 9, version: 6 } });
  other.undo();
  assert.deepEqual(other.queue.pending(), []);
  assert.match(other.said.at(-1), /changed since.*Nothing was undone/);
  assert.equal(other.row().amount, 9);
});

test('undoing an edit of what is gone says so', async () => {
  const page = await openPage();
  page.actions.edit(page.row(), { amount: 7 });
  page.answer(5);
  page.expenseList.applyEvent({ kind: 'deleted', id: 'a1' });
  page.undo();
  assert.deepEqual(page.queue.pending(), []);
  assert.match(page.said.at(-1), /was deleted on another device/);
});

test('what was undone is what it was, field by field', () => {
  const patch = { description: 'x', notes: 'n', tags: ['a'], currency: '', date: '2026-10-02', day: '2026-10-02' };
  assert.deepEqual(undoOf({ ...tea, currency: 'EUR' }, patch),
    { description: 'Tea', notes: '', tags: [], currency: 'EUR', date: tea.date, day: tea.day });
  assert.ok(hasStill({ ...tea, ...patch, currency: undefined, date: '2026-10-02T00:00:00.000Z' }, patch));
  assert.ok(!hasStill({ ...tea, ...patch, tags: ['a', 'b'] }, patch));
});

test('an entry that the month, the search or a filter hides seemed lost, so a message leads to it', () => {
  const said = [];
  const found = [];
  const toast = { announce: (words) => said.push(words), showWithLink: (words, label, go) => { said.push(words, label); go(); return () => {}; } };
  const add = (month, day, filter = {}) => {
    const navigation = { addEventListener() {}, month, place: { ...placeOf('entries'), month, ...filter }, find: (filter) => found.push(filter) };
    expenseActions({ queue: { create() {} }, sync: { run() {} }, toast, navigation }).add({ description: 'Tea', amount: 4, day });
  };
  add('2026-11', '2026-11-30');
  add('all', '2026-10-31');
  assert.deepEqual([said, found], [['Added Tea', 'Added Tea'], []]);
  add('2026-11', '2026-10-31');
  assert.deepEqual([said.slice(2), found], [['Added Tea', 'Show October 2026'], [{ month: '2026-10' }]]);
  add('2026-10', '2026-10-31', { q: 'te' });
  assert.deepEqual(said.slice(4), ['Added Tea']);
  add('2026-10', '2026-10-31', { q: 'coffee' });
  add('2026-10', '2026-10-31', { kind: 'income' });
  assert.deepEqual(said.slice(5), Array(2).fill(['Added Tea. What you search or filter for hides it.', 'Show']).flat());
  assert.deepEqual(found.slice(1), Array(2).fill({ month: '2026-10' }));
});

test('what leads to a month stayed after the month was shown', () => {
  let hidden = 0;
  const toast = { showWithLink: () => () => hidden++ };
  const navigation = Object.assign(new EventTarget(), { month: '2026-11', place: placeOf('entries') });
  expenseActions({ queue: { create() {} }, sync: { run() {} }, toast, navigation }).add({ description: 'Tea', amount: 4, day: '2026-10-31' });
  for (const [month, want] of [['2026-09', 0], ['2026-10', 1], ['2026-11', 1], ['2026-10', 1]]) {
    navigation.month = month;
    navigation.dispatchEvent(new Event('change'));
    assert.equal(hidden, want, month);
  }
});
