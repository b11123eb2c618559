import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeOf, History, loadBackTo, stateAt } from '../js/history.js';
import { settled } from './fakes.js';

const olga = { id: 'olga', name: 'Olga' };
const created = { seq: 1, action: 'created', version: 1, by: olga, changes: [{ field: 'description', to: 'Lunch' }, { field: 'amount', to: 12.5 }] };
const edit = (version, field, from, to, by = olga) => ({ seq: version * 10, action: 'updated', version, by, changes: [{ field, from, to }] });
const entries = [edit(3, 'notes', null, 'with Dave'), edit(2, 'amount', 12.5, 13), created];
const expense = { description: 'Lunch', amount: 13, notes: 'with Dave', version: 3 };

/** A server that has these entries, in pages. */
function server(all, { expense: now = expense, complete = true } = {}) {
  const asked = [];
  return {
    asked,
    history: async (id, { before, limit }) => {
      asked.push([id, before ?? null, limit]);
      const rest = all.filter(({ seq }) => !before || seq < Number(before));
      const page = rest.slice(0, limit);
      const last = page.length === rest.length;
      return { expense: now, entries: page, next: last ? null : String(page.at(-1).seq), complete: last && complete };
    },
  };
}

test('the entry as it was at a version', () => {
  assert.deepEqual(stateAt({ expense, entries }, 3), expense);
  assert.deepEqual(stateAt({ expense, entries }, 2), { ...expense, notes: null });
  assert.deepEqual(stateAt({ expense, entries }, 1), { ...expense, notes: null, amount: 12.5 });
});

test('what is not kept any more is not known', () => {
  const oldest = { ...entries[1], changes: [{ field: 'amount', to: 13 }] };
  assert.equal(stateAt({ expense, entries: [entries[0], oldest] }, 1), null);
  assert.equal(stateAt({ expense, entries: [] }, 1), null);
  assert.equal(stateAt({ expense, entries: [entries[0], { action: 'lost', changes: [] }, created] }, 1), null);
});

test('who changed a field last', () => {
  const twice = [edit(4, 'amount', 13, 14, { id: 'ed', name: 'Ed' }), ...entries];
  assert.equal(changeOf({ entries: twice }, 1, ['amount', 'currency']).by.name, 'Ed');
  assert.equal(changeOf({ entries: twice }, 3, ['notes']), undefined);
});

test('the history is read back to a version, in pages', async () => {
  const many = [...Array.from({ length: 150 }, (_, i) => edit(152 - i, 'amount', 152 - i, 153 - i)), ...entries.slice(1)];
  const api = server(many);
  assert.equal((await loadBackTo(api, 'x', 140)).entries.length, 100);
  assert.equal(api.asked.length, 1);
  assert.equal((await loadBackTo(api, 'x', 1)).entries.length, 152);
  assert.equal(api.asked.length, 3);
});

test('whom an entry was shared with is no change of its fields', async () => {
  const shared = { seq: 25, action: 'shared', by: olga, changes: [{ field: 'sharedWith', to: [] }] };
  const found = await loadBackTo(server([shared, entries[1], shared, created]), 'x', 1);
  assert.deepEqual(found.entries, [entries[1], created]);
});

test('a deleted entry is known by its history', async () => {
  const gone = [{ seq: 99, action: 'deleted', version: 3, by: olga, changes: [] }, ...entries];
  const found = await loadBackTo(server(gone, { expense: null }), 'x', 1);
  assert.equal(found.deleted, true);
  assert.deepEqual(found.expense, { description: 'Lunch', amount: 13, notes: 'with Dave' });
});

test('older changes are loaded on demand, and what is cut off is said', async () => {
  const many = Array.from({ length: 30 }, (_, i) => edit(40 - i, 'amount', 0, 1));
  const history = new History(server(many, { complete: false }));
  await history.open('x');
  assert.deepEqual([history.entries.length, history.more, history.cut], [20, true, false]);
  await history.loadMore();
  assert.deepEqual([history.entries.length, history.more, history.cut], [30, false, true]);
});

test('the answer for an entry that was closed is dropped', async () => {
  const history = new History(server(entries));
  history.open('x');
  history.close();
  await settled();
  assert.deepEqual(history.entries, []);
});

test('an error is kept and the next attempt clears it', async () => {
  const api = server(entries);
  const { history: answer } = api;
  api.history = async () => { throw new Error('The server cannot be reached'); };
  const history = new History(api);
  await history.open('x');
  assert.equal(history.error.message, 'The server cannot be reached');
  assert.equal(history.cut, false);
  api.history = answer;
  await history.reload();
  assert.deepEqual([history.error, history.entries.length], [null, 3]);
});
