import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Book } from '../js/book.js';
import { ExpenseList } from '../js/expenselist.js';
import { Queue } from '../js/queue.js';
import { Storage } from '../js/storage.js';
import { net } from '../js/totals.js';
import { applied, FakeBookStore, FakeDisk, snapshot } from './fakes.js';

const me = 'device_1';

function setUp({ storage = new Storage(new FakeDisk()), store = new FakeBookStore() } = {}) {
  let clock = Date.parse('2026-03-01T10:00:00Z');
  const queue = new Queue({ storage, userId: 'alice', deviceId: me, now: () => clock++ });
  const book = new Book({ store });
  const expenseList = new ExpenseList({ queue, deviceId: me, book });
  return { storage, store, queue, book, expenseList };
}

function expense(id, fields = {}) {
  return { _id: id.repeat(24), description: id, amount: 1, category: 'food', type: 'expense', date: '2026-02-01T00:00:00.000Z', version: 1, ...fields };
}

const created = (e, deviceId = 'device_2') => ({ kind: 'created', id: e._id, expense: { ...e, deviceId }, deviceId });
const updated = (e, deviceId = 'device_2') => ({ ...created(e, deviceId), kind: 'updated' });
const deleted = (e, deviceId = 'device_2') => ({ kind: 'deleted', id: e._id, deviceId });
const texts = (expenseList) => expenseList.rows().map((r) => r.description);

function send({ queue, expenseList }, answer) {
  const batch = queue.nextBatch(10);
  expenseList.applyOutcomes(queue.applyResults(batch, batch.map(answer)));
}

test('rows are newest first, and those that wait before others of the same moment', async () => {
  const { queue, expenseList } = setUp();
  await expenseList.catchUp(async () => snapshot([expense('a'), expense('b', { date: '2026-02-03T00:00:00.000Z' }), expense('c')]));
  queue.create({ description: 'new', amount: 1, date: '2026-02-01T00:00:00.000Z' });
  assert.deepEqual(texts(expenseList), ['b', 'new', 'c', 'a']);
});

test('an event that comes twice, or after a newer one, changes nothing', () => {
  const { expenseList } = setUp();
  expenseList.applyEvent(created(expense('a')));
  expenseList.applyEvent(updated(expense('a', { version: 3, description: 'third' })));
  expenseList.applyEvent(updated(expense('a', { version: 2, description: 'second' })));
  expenseList.applyEvent(created(expense('a')));
  assert.deepEqual(texts(expenseList), ['third']);
});

test('an update of an expense that was never heard of shows it', () => {
  const { expenseList } = setUp();
  expenseList.applyEvent(updated(expense('a', { version: 2 })));
  assert.deepEqual(texts(expenseList), ['a']);
});

test('what is deleted stays deleted, whatever arrives late', async () => {
  const { expenseList } = setUp();
  expenseList.applyEvent(created(expense('a')));
  expenseList.applyEvent(deleted(expense('a')));
  expenseList.applyEvent(updated(expense('a', { version: 9 })));
  assert.deepEqual(texts(expenseList), []);
  await expenseList.catchUp(async () => snapshot([expense('a')]));
  assert.deepEqual(texts(expenseList), []);
});

test('what happens while the list is on its way is not lost with it', async () => {
  const { expenseList } = setUp();
  expenseList.applyEvent(created(expense('a')));
  await expenseList.catchUp(async () => {
    expenseList.applyEvent(created(expense('b')));
    expenseList.applyEvent(deleted(expense('a')));
    return snapshot([expense('a'), expense('c')]);
  });
  assert.deepEqual(texts(expenseList), ['c', 'b']);
});

test('a list that cannot be loaded leaves the present one', async () => {
  const { expenseList } = setUp();
  expenseList.applyEvent(created(expense('a')));
  await assert.rejects(expenseList.catchUp(async () => { throw new Error('away'); }));
  assert.deepEqual(texts(expenseList), ['a']);
  assert.equal(expenseList.loaded, false);
});

for (const order of ['event before answer', 'answer before event']) {
  test(`an own expense stands in the list once: ${order}`, () => {
    const { queue, expenseList } = setUp();
    const op = queue.create({ description: 'mine', amount: 1, date: '2026-03-01T00:00:00.000Z' });
    const stored = expense('a', { description: 'mine' });
    const batch = queue.nextBatch(10);
    const event = () => { expenseList.applyEvent(created(stored, me)); assert.deepEqual(texts(expenseList), ['mine']); };
    const answer = () => { expenseList.applyOutcomes(queue.applyResults(batch, [applied(op, stored)])); assert.deepEqual(texts(expenseList), ['mine']); };
    (order === 'event before answer' ? [event, answer] : [answer, event]).forEach((step) => step());
    assert.equal(expenseList.rows()[0].pending, null);
  });
}

test('a row keeps its key when its temporary id becomes a real one', () => {
  const context = setUp();
  const { resourceId } = context.queue.create({ description: 'mine', amount: 1, date: '2026-03-01T00:00:00.000Z' });
  assert.equal(context.expenseList.rows()[0].key, resourceId);
  send(context, (op) => applied(op, expense('a')));
  assert.equal(context.expenseList.rows()[0].key, resourceId);
  assert.equal(context.expenseList.currentId(resourceId), 'a'.repeat(24));
});

test('what waits is marked and shown as it will be', async () => {
  const { queue, expenseList } = setUp();
  await expenseList.catchUp(async () => snapshot([expense('a'), expense('b')]));
  queue.update('a'.repeat(24), { description: 'edited' }, 1);
  queue.remove('b'.repeat(24));
  assert.deepEqual(expenseList.rows().map((r) => [r.description, r.pending]), [['b', 'DELETE'], ['edited', 'UPDATE']]);
});

test('a new expense that is edited while it is under way is still new', () => {
  const { queue, expenseList } = setUp();
  const { resourceId } = queue.create({ description: 'mine', amount: 1, date: '2026-03-01T00:00:00.000Z' });
  queue.nextBatch(10);
  queue.update(resourceId, { description: 'edited' });
  assert.deepEqual(expenseList.rows().map((r) => [r.description, r.pending]), [['edited', 'CREATE']]);
});

test('an edit that the server refuses gives the stored expense back', async () => {
  const context = setUp();
  await context.expenseList.catchUp(async () => snapshot([expense('a')]));
  context.queue.update('a'.repeat(24), { description: 'edited' }, 1);
  send(context, (op) => ({ resourceId: op.resourceId, success: false, error: 'no' }));
  assert.deepEqual(context.expenseList.rows().map((r) => [r.description, r.pending]), [['a', null]]);
});

test('an edit of what was deleted elsewhere takes the row away', async () => {
  const context = setUp();
  await context.expenseList.catchUp(async () => snapshot([expense('a')]));
  context.queue.update('a'.repeat(24), { description: 'edited' }, 1);
  send(context, (op) => ({ resourceId: op.resourceId, success: true, data: null, status: 'not_found' }));
  assert.deepEqual(texts(context.expenseList), []);
});

test('what somebody shares may be taken away and given again, and is nobody else\'s money', async () => {
  const { expenseList } = setUp();
  const shared = expense('a', { sharedBy: { id: 'bob', name: 'Bob' }, role: 'viewer' });
  expenseList.applyEvent(created(shared));
  expenseList.applyEvent(deleted(shared));
  assert.deepEqual(texts(expenseList), []);
  expenseList.applyEvent(updated(shared));
  assert.deepEqual(texts(expenseList), []);
  expenseList.applyEvent(created(shared));
  assert.deepEqual(texts(expenseList), ['a']);
  expenseList.applyEvent(deleted(shared));
  await expenseList.catchUp(async () => snapshot([shared]));
  assert.deepEqual(texts(expenseList), ['a']);
  await expenseList.catchUp(async () => { expenseList.applyEvent(deleted(shared)); return snapshot([shared]); });
  assert.deepEqual(texts(expenseList), []);
  assert.deepEqual(net([{ ...shared, type: 'income' }]), []);
});

test('with how many an own expense is shared is shown as it changes', async () => {
  const { expenseList } = setUp();
  await expenseList.catchUp(async () => snapshot([expense('a')]));
  expenseList.applyEvent({ kind: 'shared', id: 'a'.repeat(24), expense: { shared: 2 } });
  expenseList.applyEvent({ kind: 'shared', id: 'b'.repeat(24), expense: { shared: 2 } });
  assert.deepEqual(expenseList.rows().map((r) => r.shared), [2]);
});
