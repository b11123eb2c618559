import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Queue, pendingCount, toRequest } from '../js/queue.js';
import { Storage } from '../js/storage.js';
import { applied, FakeDisk } from './fakes.js';

const lunch = { description: 'Lunch', amount: 12.5, category: 'food', type: 'expense' };
const id = 'a'.repeat(24);

function newQueue(storage = new Storage(new FakeDisk()), userId = 'alice', now = () => 1_000) {
  return new Queue({ storage, userId, deviceId: 'device_1', now });
}

test('an operation has the shape of the contract', () => {
  const q = newQueue();
  q.create(lunch);
  q.remove(id);
  assert.deepEqual(q.nextBatch(10).map(toRequest), [
    { action: 'CREATE', resourceType: 'expense', resourceId: 'temp_1000', data: lunch, deviceId: 'device_1', timestamp: 1000 },
    { action: 'DELETE', resourceType: 'expense', resourceId: id, data: null, deviceId: 'device_1', timestamp: 1001 },
  ]);
});

test('timestamps grow even in one millisecond, and after the page was opened again', () => {
  const storage = new Storage(new FakeDisk());
  const first = newQueue(storage).create(lunch);
  const second = newQueue(storage).create(lunch);
  assert.ok(second.timestamp > first.timestamp);
  assert.notEqual(second.resourceId, first.resourceId);
});

test('a temporary id is not given again in the millisecond in which it was forgotten', () => {
  const q = newQueue();
  const { resourceId } = q.create(lunch);
  q.remove(resourceId);
  assert.notEqual(q.create(lunch).resourceId, resourceId);
});

test('two users never see each other\'s operations', () => {
  const storage = new Storage(new FakeDisk());
  newQueue(storage, 'alice').create(lunch);
  assert.equal(newQueue(storage, 'bob').all().length, 0);
  assert.deepEqual([pendingCount(storage, 'alice'), pendingCount(storage, 'bob')], [1, 0]);
});

test('what was not sent is merged: an expense is created as it was last edited', () => {
  const q = newQueue();
  const { resourceId } = q.create(lunch);
  q.update(resourceId, { amount: 9 });
  assert.deepEqual(q.all().map((op) => [op.action, op.data.amount]), [['CREATE', 9]]);
});

test('an expense that was never sent is forgotten when it is deleted', () => {
  const q = newQueue();
  q.remove(q.create(lunch).resourceId);
  assert.deepEqual(q.all(), []);
});

test('two edits before sending are one, and keep the version that was on the screen', () => {
  const q = newQueue();
  q.update(id, { amount: 9 }, 3);
  q.update(id, { category: 'other' }, 3);
  assert.deepEqual(q.all().map((op) => op.data), [{ amount: 9, category: 'other', version: 3 }]);
});

test('a deletion is queued once and can be taken back until it is sent', () => {
  const q = newQueue();
  q.remove(id);
  q.remove(id);
  assert.equal(q.all().length, 1);
  assert.equal(q.restore(id), true);
  q.remove(id);
  q.nextBatch(10);
  assert.equal(q.restore(id), false);
  assert.equal(q.all().length, 1);
});

test('what was sent never changes and goes again alone', () => {
  const q = newQueue();
  const { resourceId } = q.create(lunch);
  const first = q.nextBatch(10).map(toRequest);
  q.update(resourceId, { amount: 9 });
  q.create(lunch);
  assert.deepEqual(q.nextBatch(10).map(toRequest), first);
});

test('an answer empties the queue only of what it covers', () => {
  const q = newQueue();
  q.create(lunch);
  q.create(lunch);
  const batch = q.nextBatch(10);
  q.create({ ...lunch, description: 'while it was under way' });
  q.applyResults(batch, [applied(batch[0], { _id: id })]);
  assert.deepEqual(q.all().map((op) => op.timestamp), [1001, 1002]);
});

for (const [name, results] of [['empty', []], ['missing', undefined], ['of another shape', [{ ok: 1 }, null]], ['about others', [{ resourceId: 'temp_9', success: true }]]]) {
  test(`an answer that is ${name} empties nothing`, () => {
    const q = newQueue();
    q.create(lunch);
    assert.deepEqual(q.applyResults(q.nextBatch(10), results), []);
    assert.equal(q.all().length, 1);
  });
}

test('an edit of an expense under way follows it to its real id and version', () => {
  const q = newQueue();
  const { resourceId } = q.create(lunch);
  const batch = q.nextBatch(10);
  q.update(resourceId, { amount: 9 });
  q.remove(resourceId);
  q.applyResults(batch, [applied(batch[0], { _id: id, version: 1 })]);
  assert.deepEqual(q.all().map((op) => [op.action, op.resourceId, op.data]), [
    ['UPDATE', id, { amount: 9, version: 1 }],
    ['DELETE', id, null],
  ]);
});

test('a second edit does not collide with the first, but still with somebody else\'s', () => {
  const q = newQueue();
  q.update(id, { amount: 9 }, 3);
  let batch = q.nextBatch(10);
  q.update(id, { amount: 10 }, 3);
  q.applyResults(batch, [applied(batch[0], { _id: id, version: 4 })]);
  assert.equal(q.all()[0].data.version, 4);

  batch = q.nextBatch(10);
  q.update(id, { amount: 11 }, 4);
  q.applyResults(batch, [{ resourceId: id, success: false, error: 'changed' }]);
  assert.equal(q.all()[0].data.version, 4);
});

test('a refused operation waits beside the queue until it is sent again or discarded', () => {
  const q = newQueue();
  q.create(lunch);
  q.refuse(q.nextBatch(1)[0], 'too long');
  assert.equal(q.nextBatch(10).length, 0);
  assert.equal(q.refused()[0].refused, 'too long');

  q.retry(q.refused()[0], { ...lunch, description: 'short' });
  assert.equal(q.nextBatch(10)[0].data.description, 'short');

  q.refuse(q.nextBatch(1)[0], 'again');
  q.discard(q.refused()[0]);
  assert.deepEqual(q.all(), []);
});

test('a full disk loses nothing while the page is open, and it is known', () => {
  const storage = new Storage(new FakeDisk(1));
  const q = newQueue(storage);
  q.create(lunch);
  assert.equal(storage.durable, true);
  q.create(lunch);
  assert.equal(storage.durable, false);
  assert.equal(q.all().length, 2);
  const batch = q.nextBatch(10);
  q.applyResults(batch, batch.map((op) => applied(op, { _id: id })));
  assert.equal(q.all().length, 0);
});

test('a damaged entry harms no other', () => {
  const disk = new FakeDisk();
  const q = newQueue(new Storage(disk));
  q.create(lunch);
  disk.setItem('expenseflow.alice.op.0000000000000001', '{"action":');
  assert.equal(q.all().length, 1);
});

test('any interleaving of edits, answers and lost answers ends with the server as the user left it', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const { q, server, wanted } = play(seed);
    for (let batch = q.nextBatch(3); batch.length; batch = q.nextBatch(3)) {
      q.applyResults(batch, server.batch(batch.map(toRequest)));
    }
    assert.deepEqual(server.amounts(), wanted(), `seed ${seed}`);
  }
});

// A small server with the contract's idempotency, and a user who does not wait for it.
function play(seed) {
  const random = generator(seed);
  const q = newQueue();
  const server = fakeServer();
  const rows = []; // {id, amount}; amount null once deleted
  const track = (outcomes) => outcomes.forEach(({ op, expense }) => {
    rows.filter((r) => r.id === op.resourceId && op.action === 'CREATE').forEach((r) => { r.id = expense._id; });
  });
  for (let step = 0; step < 40; step++) {
    const row = rows.filter((r) => r.amount !== null)[random(4)];
    const does = [
      () => rows.push({ id: q.create({ amount: step }).resourceId, amount: step }),
      () => row && (q.update(row.id, { amount: step }), row.amount = step),
      () => row && (q.remove(row.id), row.amount = null),
      () => server.batch(q.nextBatch(3).map(toRequest)), // the answer is lost
      () => { const f = q.nextBatch(3); track(q.applyResults(f, server.batch(f.map(toRequest)))); },
      () => { const f = q.nextBatch(3); track(q.applyResults(f, server.batch(f.map(toRequest)).slice(0, 1))); },
    ];
    does[random(does.length)]();
  }
  return { q, server, wanted: () => rows.map((r) => r.amount).filter((a) => a !== null).sort((a, b) => a - b) };
}

function fakeServer() {
  const rows = new Map();
  const answered = new Map();
  const apply = (op) => {
    if (op.action === 'CREATE') {
      const _id = String(rows.size + 1).padStart(24, '0');
      rows.set(_id, { ...op.data, _id });
      return { resourceId: op.resourceId, success: true, data: rows.get(_id) };
    }
    const row = rows.get(op.resourceId);
    Object.assign(row, op.action === 'DELETE' ? { deleted: true } : op.data);
    return { resourceId: op.resourceId, success: true, data: { ...row } };
  };
  const answer = (op) => {
    const key = JSON.stringify(op);
    answered.has(key) || answered.set(key, apply(op));
    return answered.get(key);
  };
  return {
    batch: (ops) => ops.map(answer),
    amounts: () => [...rows.values()].filter((r) => !r.deleted).map((r) => r.amount).sort((a, b) => a - b),
  };
}

function generator(seed) {
  let state = seed * 2654435761 % 2 ** 32;
  return (n) => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return Math.floor((state / 2 ** 32) * n);
  };
}
