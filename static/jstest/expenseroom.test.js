import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExpenseRoom } from '../js/expenseroom.js';
import { FakeLive, FakeTimers, settled } from './fakes.js';

const guest = (id, deviceId, room = 'expense:e1') => ({ room, user: { id, name: id }, deviceId });

class RoomLive extends FakeLive {
  members = [guest('anna', 'a1')];

  async request(event, payload) {
    await super.request(event, payload);
    return event === 'room:join' ? { ok: true, room: payload.room, members: this.members } : { ok: true };
  }
}

function setUp() {
  const live = new RoomLive();
  const timers = new FakeTimers();
  const said = [];
  const invited = [];
  const api = {
    shares: async (id) => ({ expenseId: id, owner: { id: 'anna', name: 'anna' }, role: 'owner', sharedWith: [], invited: [...invited] }),
    comments: async () => [...said].reverse(),
    comment: async (_, text) => { said.push({ id: `c${said.length}`, data: { text } }); return said.at(-1); },
    share: async (id, email, role) => { invited.push({ email, role }); return { expenseId: id, invited: true }; },
    withdraw: async (id) => { invited.pop(); return { expenseId: id, invited: false }; },
  };
  return { live, timers, said, room: new ExpenseRoom({ api, live, timers }) };
}

const here = (room) => room.present.map((p) => `${p.name} ${p.devices}`);

test('people are counted once, however many devices they have', async () => {
  const { live, room } = setUp();
  live.connect();
  await room.enter('e1');
  live.receive('presence:joined', guest('bob', 'b1'));
  live.receive('presence:joined', guest('anna', 'a2'));
  live.receive('presence:joined', guest('anna', 'a2'));
  live.receive('presence:joined', guest('carol', 'c1', 'expense:other'));
  assert.deepEqual(here(room), ['anna 2', 'bob 1']);
  live.receive('presence:left', guest('bob', 'b1'));
  assert.deepEqual(here(room), ['anna 2']);
});

test('a room is entered again with each connection, and left for good', async () => {
  const { live, room } = setUp();
  await room.enter('e1');
  assert.deepEqual(live.requests, []);
  live.connect();
  await settled();
  live.members = [guest('bob', 'b1')];
  live.connect();
  await settled();
  assert.deepEqual(here(room), ['bob 1']);
  room.leave();
  live.connect();
  live.receive('presence:joined', guest('anna', 'a1'));
  assert.deepEqual(live.requests.map(([event]) => event), ['room:join', 'room:join', 'room:leave']);
  assert.deepEqual(here(room), []);
});

test('who types is told until the comment comes, or for a moment', async () => {
  const { live, room, timers } = setUp();
  live.connect();
  await room.enter('e1');
  const activity = (type, id) => live.receive('room:activity', { room: 'expense:e1', type, user: { id, name: id }, data: {} });
  activity('typing', 'bob');
  activity('typing', 'bob');
  activity('typing', 'carol');
  assert.deepEqual(room.typing, ['bob', 'carol']);
  activity('comment', 'bob');
  assert.deepEqual(room.typing, ['carol']);
  await timers.elapse();
  assert.deepEqual(room.typing, []);
});

test('that somebody types here is said now and then, not with every key', async () => {
  const { live, room } = setUp();
  live.connect();
  await room.enter('e1');
  live.requests.length = 0;
  [10_000, 10_100, 11_000, 12_000].forEach((now) => room.notifyTyping(now));
  assert.deepEqual(live.requests.map(([event, { type }]) => [event, type]), [['room:activity', 'typing'], ['room:activity', 'typing']]);
});

test('what is said and offered shows at once', async () => {
  const { live, room } = setUp();
  live.connect();
  await room.enter('e1');
  await room.comment('first');
  await room.comment('second');
  await room.share('bob@example.test', 'viewer');
  assert.deepEqual(room.comments.map((c) => c.data.text), ['first', 'second']);
  assert.deepEqual(room.sharing.invited.map((i) => i.role), ['viewer']);
  await room.withdraw('bob@example.test');
  assert.deepEqual(room.sharing.invited, []);
});

test('an answer for an entry that was left shows nothing', async () => {
  const { live, room } = setUp();
  live.connect();
  const entered = room.enter('e1');
  room.leave();
  await entered;
  assert.deepEqual([room.sharing, here(room)], [null, []]);
});

test('a member whose role was changed reads the members again, once', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { live, room } = setUp();
  await room.enter('e1');
  let reads = 0;
  room.addEventListener('change', () => { reads++; });
  const receive = async (entries) => {
    entries.forEach((entry) => live.receive('expense_updated', entry));
    t.mock.timers.tick(1_000);
    await new Promise(setImmediate);
    return reads;
  };
  assert.equal(await receive([{ _id: 'e1', role: 'owner' }, { _id: 'e1' }, { _id: 'e2', role: 'editor' }]), 0);
  assert.equal(await receive([{ _id: 'e1', role: 'editor' }, { _id: 'e1', role: 'editor' }]), 1);
});
