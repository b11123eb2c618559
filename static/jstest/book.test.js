import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Book } from '../js/book.js';
import { DaySums } from '../js/daysums.js';
import { ExpenseList } from '../js/expenselist.js';
import { Queue } from '../js/queue.js';
import { Storage } from '../js/storage.js';
import { applied, FakeBookStore, FakeDisk, random, snapshot } from './fakes.js';

const id = (n) => String(n).padStart(24, '0');
const expense = (n, fields = {}) => ({ _id: id(n), description: `e${n}`, amount: 1, category: 'food', type: 'expense', date: '2026-02-01T00:00:00.000Z', day: '2026-02-01', version: 1, ...fields });
const shared = (n) => expense(n, { sharedBy: { id: 'bob', name: 'Bob' }, role: 'viewer' });
const change = (kind, e) => ({ event: `expense_${kind}`, expense: e });

function setUp({ store = new FakeBookStore(), storage = new Storage(new FakeDisk()), clock = { now: 1_000 } } = {}) {
  const queue = new Queue({ storage, userId: 'alice', deviceId: 'device_1', now: () => clock.now++ });
  const book = new Book({ store, now: () => clock.now });
  return { store, storage, clock, queue, book, expenseList: new ExpenseList({ queue, deviceId: 'device_1', book }) };
}

const texts = ({ expenseList }) => expenseList.rows().map((r) => r.description);

/** A server that answers with these pages in turn, and notes from where it was asked. */
function pages(...answers) {
  const asked = [];
  return { asked, ask: async (position) => (asked.push(position), answers.shift()) };
}

async function opened(store, storage) {
  const page = setUp({ store, storage });
  await page.expenseList.open();
  return page;
}

test('a later visit begins with what was kept, and asks for what is new', async () => {
  const first = setUp();
  await first.expenseList.catchUp(async () => snapshot([expense(1), expense(2)], 'e.5'));
  first.expenseList.applyEvent({ kind: 'created', id: id(3), expense: expense(3) });
  first.expenseList.applyEvent({ kind: 'deleted', id: id(1) });

  const later = await opened(first.store);
  assert.deepEqual(texts(later), ['e3', 'e2']);
  assert.equal(later.expenseList.complete, true);
  assert.equal(later.expenseList.loaded, false);
  const server = pages(
    { next: 'e.6', more: true, changes: [change('created', expense(3))] },
    { next: 'e.9', more: false, changes: [change('deleted', expense(1)), change('updated', expense(2, { version: 2, description: 'two' })), change('created', expense(4))] },
  );
  await later.expenseList.catchUp(server.ask);
  assert.deepEqual(server.asked, ['e.5', 'e.6']);
  assert.deepEqual(texts(later), ['e4', 'e3', 'two']);
  assert.deepEqual(texts(await opened(first.store)), ['e4', 'e3', 'two']);
  assert.equal(first.store.kept.position, 'e.9');
});

test('where the log cannot tell, everything is read and what was kept goes', async () => {
  const first = setUp();
  await first.expenseList.catchUp(async () => snapshot([expense(1), expense(2)]));
  const later = await opened(first.store);
  await later.expenseList.catchUp(async () => snapshot([expense(2), expense(3)], 'other.1'));
  assert.deepEqual(texts(later), ['e3', 'e2']);
  assert.deepEqual(texts(await opened(first.store)), ['e3', 'e2']);
});

test('events that come before the kept book is read are not lost with it', async () => {
  const store = new FakeBookStore({ rows: [expense(1), expense(2)], position: 'e.1', at: 1 });
  const page = setUp({ store });
  const opening = page.expenseList.open();
  page.expenseList.applyEvent({ kind: 'deleted', id: id(1) });
  page.expenseList.applyEvent({ kind: 'created', id: id(3), expense: expense(3) });
  await opening;
  assert.deepEqual(texts(page), ['e3', 'e2']);
});

test('the server is not asked before the kept book is read', async () => {
  const page = setUp({ store: new FakeBookStore({ rows: [expense(1)], position: 'e.1', at: 1 }) });
  page.expenseList.open();
  const server = pages({ next: 'e.2', changes: [] });
  await page.expenseList.catchUp(server.ask);
  assert.deepEqual(server.asked, ['e.1']);
  assert.deepEqual(texts(page), ['e1']);
});

test('a repeated answer brought back an expense that was deleted while the page was closed', async () => {
  const storage = new Storage(new FakeDisk());
  const first = setUp({ storage });
  await first.expenseList.catchUp(async () => snapshot([], 'e.9')); // made and deleted before this
  first.queue.create({ description: 'mine', amount: 1, type: 'expense', date: '2026-02-01', day: '2026-02-01' });
  const later = await opened(first.store, storage);
  const batch = later.queue.nextBatch(1);
  later.expenseList.applyOutcomes(later.queue.applyResults(batch, [{ ...applied(batch[0], expense(7)), status: 'duplicate' }]));
  assert.deepEqual(texts(later), ['e7']);
  assert.deepEqual(texts(await opened(first.store)), [], 'it is not kept before the log has told of it');
  await later.expenseList.catchUp(async () => ({ next: 'e.9', changes: [] }));
  assert.deepEqual(texts(later), []);
});

test('a repeated answer of which the log tells stays', async () => {
  const page = setUp();
  await page.expenseList.catchUp(async () => snapshot([], 'e.1'));
  page.queue.create({ description: 'mine', amount: 1, type: 'expense', date: '2026-02-01', day: '2026-02-01' });
  const batch = page.queue.nextBatch(1);
  page.expenseList.applyOutcomes(page.queue.applyResults(batch, [{ ...applied(batch[0], expense(7)), status: 'duplicate' }]));
  await page.expenseList.catchUp(async () => ({ next: 'e.2', changes: [change('created', expense(7))] }));
  assert.deepEqual(texts(page), ['e7']);
  assert.deepEqual(texts(await opened(page.store)), ['e7']);
});

test('with how many an expense is shared comes with the log too', async () => {
  const page = setUp();
  await page.expenseList.catchUp(async () => snapshot([expense(1)]));
  await page.expenseList.catchUp(async () => ({ next: 'e.2', changes: [], shared: [{ _id: id(1), shared: 2 }, { _id: id(8), shared: 1 }] }));
  assert.deepEqual((await opened(page.store)).expenseList.rows().map((r) => r.shared), [2]);
});

test('whoever shares entries is called in all of them by the name that was heard last', async () => {
  const page = setUp();
  const of = (n, name, fields) => ({ ...expense(n, fields), sharedBy: { id: 'bob', name }, role: 'viewer' });
  await page.expenseList.catchUp(async () => snapshot([of(1, 'Bob'), of(2, 'Bob'), { ...expense(3), sharedBy: { id: 'eve', name: 'Eve' } }]));
  page.expenseList.applyEvent({ kind: 'updated', id: id(2), expense: of(2, 'Robert', { version: 2 }) });
  assert.deepEqual(page.expenseList.rows().map((r) => r.sharedBy.name), ['Eve', 'Robert', 'Robert']);
  assert.deepEqual((await opened(page.store)).expenseList.rows().map((r) => r.sharedBy.name), ['Eve', 'Robert', 'Robert']);
});

test('without a position nothing is kept, and a distrusted book is read anew', async () => {
  const page = setUp();
  page.expenseList.applyEvent({ kind: 'created', id: id(1), expense: expense(1) });
  assert.equal(page.store.kept, null);
  await page.expenseList.catchUp(async () => snapshot([expense(1), expense(2)], 'e.5'));
  page.expenseList.distrust();
  const server = pages(snapshot([expense(2)], 'e.6'));
  await page.expenseList.catchUp(server.ask);
  assert.deepEqual([server.asked, texts(page)], [[null], ['e2']]);
});

test('a tab that becomes the writer keeps everything that it knows', async () => {
  const page = setUp();
  await page.expenseList.catchUp(async () => snapshot([expense(1)], 'e.5'));
  page.store.kept = null; // another tab wrote, who knows what
  page.store.dispatchEvent(new Event('writer'));
  assert.deepEqual(page.store.kept.rows.map((r) => r._id), [id(1)]);
  assert.equal(page.store.kept.position, 'e.5');
});

test('the array of rows is the same while nothing changed, and rows that did not change are too', async () => {
  const { expenseList, queue } = setUp();
  await expenseList.catchUp(async () => snapshot([expense(1), expense(2)]));
  const rows = expenseList.rows();
  assert.equal(expenseList.rows(), rows);
  queue.update(id(1), { amount: 5 }, 1);
  assert.notEqual(expenseList.rows(), rows);
  assert.equal(expenseList.row(id(2)), rows.find((r) => r.id === id(2)));
  assert.deepEqual([expenseList.row(id(1)).amount, rows.find((r) => r.id === id(1)).amount], [5, 1]);
});

// Whatever happens in whatever order: rows and sums that are kept up to date equal those built anew from what was kept.
for (const seed of [1, 2, 3]) {
  test(`rows and sums equal those built anew: ${seed}`, async () => {
    const page = setUp();
    const happen = happenings(page, random(seed));
    await page.expenseList.catchUp(async () => snapshot(happen.everything(), 'e.0'));
    for (let step = 0; step < 150; step++) {
      await happen.something();
      const anew = await opened(page.store, page.storage);
      const plain = (list) => list.expenseList.rows().map(({ key, ...row }) => row);
      assert.deepEqual(plain(page), plain(anew), `step ${step}`);
      const rows = page.expenseList.rows();
      for (const [from, to, home] of [['', '~', ''], ['2026-02-10', '2026-03-05', 'EUR']]) {
        assert.deepEqual(plainSums(page.expenseList.sums(), from, to, home), plainSums(DaySums.of(rows), from, to, home));
      }
      assert.deepEqual(page.expenseList.sums().days('', '~').map(([day]) => day), DaySums.of(rows).days('', '~').map(([day]) => day));
    }
  });
}

const byName = ([a], [b]) => (a < b ? -1 : 1);

function plainSums(sums, from, to, home) {
  return [...sums.between(from, to, home)].sort(byName)
    .map(([name, { categories, ...sum }]) => [name, sum, [...categories].sort(byName)]);
}

/** A server and a person at work. */
function happenings({ queue, expenseList }, { below, pick }) {
  const stored = new Map();
  let [seq, made] = [0, 0];
  const someDay = () => `2026-0${2 + below(2)}-${10 + below(9)}`;
  const draft = () => ({ description: `d${made}`, amount: 1 + below(500) / 100, type: pick(['income', 'expense']), category: pick(['food', 'bills']),
    date: someDay(), day: someDay(), ...pick([{}, { currency: 'EUR' }, { currency: 'JPY' }]) });
  const anId = () => pick([...stored.keys(), id(0)]);
  const put = (e) => (stored.set(e._id, e), e);
  const insert = () => put(pick([expense, shared])(++made, draft()));
  const edit = (e) => put({ ...e, ...draft(), version: e.version + 1 });

  const events = {
    created: () => { const e = insert(); return { id: e._id, expense: e }; },
    updated: () => { const e = stored.get(anId()); return e ? { id: e._id, expense: edit(e) } : null; },
    deleted: () => { const gone = anId(); stored.delete(gone); return { id: gone }; },
  };
  function hear() {
    const kind = pick(Object.keys(events));
    const event = events[kind]();
    event && expenseList.applyEvent({ kind, ...event });
  }
  function apply(op) {
    const known = stored.get(op.resourceId);
    if (op.action === 'CREATE') {
      return applied(op, put(expense(++made, op.data)));
    }
    if (!known || below(4) === 0) {
      return { resourceId: op.resourceId, success: true, data: null, status: 'not_found' };
    }
    op.action === 'DELETE' ? stored.delete(op.resourceId) : edit(known);
    return applied(op, op.action === 'DELETE' ? known : stored.get(op.resourceId));
  }
  function answer() {
    const batch = queue.nextBatch(3);
    expenseList.applyOutcomes(queue.applyResults(batch, batch.map(apply)));
  }
  const load = () => expenseList.catchUp(async () => snapshot([...stored.values()], `e.${++seq}`));
  const things = [hear, hear, hear, () => queue.create(draft()), () => queue.update(anId(), { amount: 2, description: 'mine' }, 1), () => queue.remove(anId()), answer, load];
  return { everything: () => Array.from({ length: 60 }, insert), something: async () => pick(things)() };
}

test('which device made an entry is told once, and stays with it', async () => {
  const context = setUp();
  const { expenseList, queue } = context;
  const device = (n) => expenseList.rows().find((r) => r.id === id(n) || r.id === n)?.device;
  await expenseList.catchUp(async () => snapshot([expense(1)]));
  expenseList.applyEvent({ kind: 'created', id: id(2), deviceId: 'phone', expense: { ...expense(2), deviceId: 'phone' } });
  expenseList.applyEvent({ kind: 'updated', id: id(2), deviceId: 'laptop', expense: { ...expense(2, { version: 2 }), deviceId: 'laptop' } });
  await expenseList.catchUp(pages({ next: 'e.9', more: false, changes: [{ ...change('created', expense(3)), deviceId: 'tablet' }] }).ask);
  const op = queue.create({ description: 'mine', amount: 1, date: '2026-02-01' });
  assert.deepEqual([device(1), device(2), device(3), device(op.resourceId)], [undefined, 'phone', 'tablet', 'device_1']);
  const batch = queue.nextBatch(10);
  expenseList.applyOutcomes(queue.applyResults(batch, [applied(op, expense(4))]));
  await expenseList.catchUp(async () => snapshot([expense(1), expense(2, { version: 3 }), expense(3), expense(4)]));
  assert.deepEqual([1, 2, 3, 4].map(device), [undefined, 'phone', 'tablet', 'device_1']);
});
