import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Book } from '../js/book.js';
import { ExpenseList } from '../js/expenselist.js';
import { Queue } from '../js/queue.js';
import { Storage } from '../js/storage.js';
import { FakeBookStore, FakeDisk, settled, snapshot } from './fakes.js';

const id = (n) => String(n).padStart(24, '0');
const expense = (n, fields = {}) => ({ _id: id(n), description: `e${n}`, amount: 1, category: 'food', type: 'expense', date: '2026-02-01T00:00:00.000Z', day: '2026-02-01', version: 1, ...fields });
const texts = ({ expenseList }) => expenseList.rows().map((r) => r.description);

function setUp(store = new FakeBookStore()) {
  const queue = new Queue({ storage: new Storage(new FakeDisk()), userId: 'alice', deviceId: 'device_1' });
  const book = new Book({ store });
  return { store, queue, book, expenseList: new ExpenseList({ queue, deviceId: 'device_1', book }) };
}

async function opened(store) {
  const page = setUp(store);
  await page.expenseList.open();
  return page;
}

// The rows that arrive before the rest of a first book.
function arriving() {
  const page = setUp();
  const day = (n, on, fields = {}) => expense(n, { day: on, date: `${on}T12:00:00.000Z`, ...fields });
  const all = [day(5, '2026-02-09'), day(4, '2026-02-07'), day(3, '2026-02-07'), day(2, '2026-02-05'), day(1, '2026-02-01')];
  let send;
  const loading = page.expenseList.catchUp((position, arrived) => {
    arrived(all.slice(0, 2));
    arrived(all.slice(2, 3));
    return new Promise((resolve, reject) => { send = { resolve, reject }; });
  });
  return { ...page, all, loading, end: (rows = all) => send.resolve(snapshot(rows)), fail: () => send.reject(new Error('cut')) };
}

test('of a first book the newest rows are there before the rest, with what is known of which days', async () => {
  const page = arriving();
  await settled();
  assert.deepEqual(texts(page), ['e5', 'e4', 'e3']);
  const known = (list) => ['', '2026-02-01', '2026-02-07', '2026-02-08', '2026-02-09'].map((day) => list.hasAllFrom(day));
  assert.deepEqual([page.expenseList.complete, known(page.expenseList)], [false, [false, false, false, false, true]]);
  assert.equal(page.store.kept, null, 'nothing is kept before all is here');
  page.end();
  await page.loading;
  assert.deepEqual(texts(page), ['e5', 'e4', 'e3', 'e2', 'e1']);
  assert.deepEqual([page.expenseList.complete, known(page.expenseList)], [true, [true, true, true, true, true]]);
  assert.deepEqual(texts(await opened(page.store)), texts(page));
});

test('rows that arrived early are not built again with the rest', async () => {
  const page = arriving();
  await settled();
  const [first] = page.expenseList.rows();
  page.end();
  await page.loading;
  assert.equal(page.expenseList.rows()[0], first);
});

test('what is heard while a first book arrives is newer than it', async () => {
  const page = arriving();
  await settled();
  page.expenseList.applyEvent({ kind: 'deleted', id: id(5) });
  page.expenseList.applyEvent({ kind: 'updated', id: id(4), expense: { ...page.all[1], version: 2, description: 'four' } });
  page.expenseList.applyEvent({ kind: 'created', id: id(6), deviceId: 'phone', expense: expense(6, { day: '2026-02-10', deviceId: 'phone' }) });
  page.expenseList.applyEvent({ kind: 'deleted', id: id(1) });
  assert.deepEqual(texts(page), ['e6', 'four', 'e3']);
  page.end();
  await page.loading;
  assert.deepEqual(texts(page), ['e6', 'four', 'e3', 'e2']);
  assert.equal(page.expenseList.row(id(6)).device, 'phone');
});

test('a first book that was cut is read anew, without what has gone meanwhile', async () => {
  const page = arriving();
  await settled();
  page.fail();
  await assert.rejects(page.loading, /cut/);
  assert.deepEqual([texts(page), page.expenseList.complete], [['e5', 'e4', 'e3'], false]);
  await page.expenseList.catchUp(async (position) => (assert.equal(position, null), snapshot(page.all.slice(1))));
  assert.deepEqual(texts(page), ['e4', 'e3', 'e2', 'e1']);
});

test('a book that is read anew stays as it is until all has arrived', async () => {
  const page = setUp();
  await page.expenseList.catchUp(async () => snapshot([expense(1), expense(2)]));
  page.expenseList.distrust();
  await page.expenseList.catchUp(async (position, arrived) => {
    arrived([expense(3)]);
    assert.deepEqual(texts(page), ['e2', 'e1']);
    return snapshot([expense(3)]);
  });
  assert.deepEqual(texts(page), ['e3']);
});
