import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Book } from '../js/book.js';
import { BookStore, removeBook, removeBooksOfOthers } from '../js/bookstore.js';
import { settled, snapshot } from './fakes.js';

const expense = { _id: 'a'.repeat(24), description: 'a', amount: 1, type: 'expense', date: '2026-02-01', day: '2026-02-01', version: 1 };

/** An IDBFactory whose every request fails, as in some private windows. */
function refusing() {
  return {
    open() {
      const request = { error: new Error('refused') };
      queueMicrotask(() => request.onerror());
      return request;
    },
  };
}

for (const [name, factory] of [
  ['there is none', undefined], ['it may not be asked', { open() { throw new Error('SecurityError'); } }], ['it refuses', refusing()],
]) {
  test(`without IndexedDB the book lasts as long as the page: ${name}`, async () => {
    const store = new BookStore({ userId: 'alice', factory, locks: undefined });
    const book = new Book({ store });
    await book.open();
    assert.equal(book.complete, false);
    await book.catchUp(async () => snapshot([expense]));
    book.apply({ kind: 'deleted', id: 'b'.repeat(24) });
    await store.written();
    assert.deepEqual([book.complete, book.get(expense._id).description], [true, 'a']);
    book.close();
  });
}

test('books of others are removed, and nothing that is not a book of this page', async () => {
  const removed = [];
  const factory = {
    databases: async () => ['expenseflow.alice', 'expenseflow.bob', 'another'].map((name) => ({ name, version: 1 })),
    deleteDatabase: (name) => removed.push(name),
  };
  await removeBooksOfOthers('alice', factory);
  assert.deepEqual(removed.splice(0), ['expenseflow.bob']);
  await removeBooksOfOthers(null, factory);
  assert.deepEqual(removed.splice(0), ['expenseflow.alice', 'expenseflow.bob']);
  removeBook('carol', factory);
  assert.deepEqual(removed, ['expenseflow.carol']);
});

test('a browser that does not list its databases, or has none, is left as it is', async () => {
  await removeBooksOfOthers('alice', {});
  await removeBooksOfOthers('alice', { databases: async () => { throw new Error('refused'); } });
  removeBook('alice', undefined);
  await settled();
});
