import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Book, forgetRows } from '../js/book.js';
import { Queue } from '../js/queue.js';
import { Storage } from '../js/storage.js';
import { totals } from '../js/totals.js';
import { applied, FakeDisk } from './fakes.js';

const me = 'device_1';

function setUp(storage = new Storage(new FakeDisk())) {
  let clock = Date.parse('2026-03-01T10:00:00Z');
  const queue = new Queue({ storage, userId: 'alice', deviceId: me, now: () => clock++ });
  const book = new Book({ queue, storage, userId: 'alice', deviceId: me });
  return { storage, queue, book };
}

function expense(id, fields = {}) {
  return { _id: id.repeat(24), description: id, amount: 1, category: 'food', type: 'expense', date: '2026-02-01T00:00:00.000Z', version: 1, ...fields };
}

const created = (e, deviceId = 'device_2') => ({ kind: 'created', id: e._id, expense: { ...e, deviceId }, deviceId });
const updated = (e, deviceId = 'device_2') => ({ ...created(e, deviceId), kind: 'updated' });
const deleted = (e, deviceId = 'device_2') => ({ kind: 'deleted', id: e._id, deviceId });
const texts = (book) => book.rows().map((r) => r.description);

function send({ queue, book }, answer) {
  const flight = queue.flight(10);
  book.settled(queue.settle(flight, flight.map(answer)));
}

test('rows are newest first, and those that wait before others of the same moment', async () => {
  const { queue, book } = setUp();
  await book.load(async () => [expense('a'), expense('b', { date: '2026-02-03T00:00:00.000Z' }), expense('c')]);
  queue.create({ description: 'new', amount: 1, date: '2026-02-01T00:00:00.000Z' });
  assert.deepEqual(texts(book), ['b', 'new', 'c', 'a']);
});

test('an event that comes twice, or after a newer one, changes nothing', () => {
  const { book } = setUp();
  book.note(created(expense('a')));
  book.note(updated(expense('a', { version: 3, description: 'third' })));
  book.note(updated(expense('a', { version: 2, description: 'second' })));
  book.note(created(expense('a')));
  assert.deepEqual(texts(book), ['third']);
});

test('an update of an expense that was never heard of shows it', () => {
  const { book } = setUp();
  book.note(updated(expense('a', { version: 2 })));
  assert.deepEqual(texts(book), ['a']);
});

test('what is deleted stays deleted, whatever arrives late', async () => {
  const { book } = setUp();
  book.note(created(expense('a')));
  book.note(deleted(expense('a')));
  book.note(updated(expense('a', { version: 9 })));
  assert.deepEqual(texts(book), []);
  await book.load(async () => [expense('a')]);
  assert.deepEqual(texts(book), []);
});

test('what happens while the list is on its way is not lost with it', async () => {
  const { book } = setUp();
  book.note(created(expense('a')));
  await book.load(async () => {
    book.note(created(expense('b')));
    book.note(deleted(expense('a')));
    return [expense('a'), expense('c')];
  });
  assert.deepEqual(texts(book), ['c', 'b']);
});

test('a list that cannot be loaded leaves the present one', async () => {
  const { book } = setUp();
  book.note(created(expense('a')));
  await assert.rejects(book.load(async () => { throw new Error('away'); }));
  assert.deepEqual(texts(book), ['a']);
  assert.equal(book.loaded, false);
});

for (const order of ['event before answer', 'answer before event']) {
  test(`an own expense stands in the list once: ${order}`, () => {
    const { queue, book } = setUp();
    const op = queue.create({ description: 'mine', amount: 1, date: '2026-03-01T00:00:00.000Z' });
    const stored = expense('a', { description: 'mine' });
    const flight = queue.flight(10);
    const event = () => { book.note(created(stored, me)); assert.deepEqual(texts(book), ['mine']); };
    const answer = () => { book.settled(queue.settle(flight, [applied(op, stored)])); assert.deepEqual(texts(book), ['mine']); };
    (order === 'event before answer' ? [event, answer] : [answer, event]).forEach((step) => step());
    assert.equal(book.rows()[0].pending, null);
  });
}

test('a row keeps its key when its temporary id becomes a real one', () => {
  const context = setUp();
  const { resourceId } = context.queue.create({ description: 'mine', amount: 1, date: '2026-03-01T00:00:00.000Z' });
  assert.equal(context.book.rows()[0].key, resourceId);
  send(context, (op) => applied(op, expense('a')));
  assert.equal(context.book.rows()[0].key, resourceId);
  assert.equal(context.book.currentId(resourceId), 'a'.repeat(24));
});

test('what waits is marked and shown as it will be', async () => {
  const { queue, book } = setUp();
  await book.load(async () => [expense('a'), expense('b')]);
  queue.update('a'.repeat(24), { description: 'edited' }, 1);
  queue.remove('b'.repeat(24));
  assert.deepEqual(book.rows().map((r) => [r.description, r.pending]), [['b', 'DELETE'], ['edited', 'UPDATE']]);
});

test('a new expense that is edited while it is under way is still new', () => {
  const { queue, book } = setUp();
  const { resourceId } = queue.create({ description: 'mine', amount: 1, date: '2026-03-01T00:00:00.000Z' });
  queue.flight(10);
  queue.update(resourceId, { description: 'edited' });
  assert.deepEqual(book.rows().map((r) => [r.description, r.pending]), [['edited', 'CREATE']]);
});

test('an edit that the server refuses gives the stored expense back', async () => {
  const context = setUp();
  await context.book.load(async () => [expense('a')]);
  context.queue.update('a'.repeat(24), { description: 'edited' }, 1);
  send(context, (op) => ({ resourceId: op.resourceId, success: false, error: 'no' }));
  assert.deepEqual(context.book.rows().map((r) => [r.description, r.pending]), [['a', null]]);
});

test('an edit of what was deleted elsewhere takes the row away', async () => {
  const context = setUp();
  await context.book.load(async () => [expense('a')]);
  context.queue.update('a'.repeat(24), { description: 'edited' }, 1);
  send(context, (op) => ({ resourceId: op.resourceId, success: true, data: null, status: 'not_found' }));
  assert.deepEqual(texts(context.book), []);
});

test('the newest rows are there at a start without a server, until they are forgotten', async () => {
  const { storage, book } = setUp();
  await book.load(async () => [expense('a')]);
  book.remember();
  assert.deepEqual(texts(setUp(storage).book), ['a']);
  forgetRows(storage, 'alice');
  assert.deepEqual(texts(setUp(storage).book), []);
});

test('what somebody shares may be taken away and given again, and is nobody else\'s money', async () => {
  const { book } = setUp();
  const shared = expense('a', { sharedBy: { id: 'bob', name: 'Bob' }, role: 'viewer' });
  book.note(created(shared));
  book.note(deleted(shared));
  assert.deepEqual(texts(book), []);
  book.note(updated(shared));
  assert.deepEqual(texts(book), []);
  book.note(created(shared));
  assert.deepEqual(texts(book), ['a']);
  book.note(deleted(shared));
  await book.load(async () => [shared]);
  assert.deepEqual(texts(book), ['a']);
  await book.load(async () => { book.note(deleted(shared)); return [shared]; });
  assert.deepEqual(texts(book), []);
  assert.deepEqual(totals([{ ...shared, type: 'income' }]), []);
});

test('with how many an own expense is shared is shown as it changes', async () => {
  const { book } = setUp();
  await book.load(async () => [expense('a')]);
  book.note({ kind: 'shared', id: 'a'.repeat(24), expense: { shared: 2 } });
  book.note({ kind: 'shared', id: 'b'.repeat(24), expense: { shared: 2 } });
  assert.deepEqual(book.rows().map((r) => r.shared), [2]);
});
