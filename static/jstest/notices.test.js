import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Notices, pageSize } from '../js/notices.js';

const notice = (n, fields = {}) => ({ id: String(n).padStart(24, '0'), title: `t${n}`, timestamp: new Date(n * 1000).toISOString(), read: false, ...fields });

/** A server with these notifications, newest first. */
function serverOf(list) {
  const seen = [];
  return {
    seen, list,
    notifications: async (page, limit) => {
      seen.push(page);
      const notifications = list.slice((page - 1) * limit, page * limit);
      return { notifications, pagination: { page, limit, total: list.length, pages: Math.ceil(list.length / limit) } };
    },
    markRead: async (id) => { list.find((n) => n.id === id).read = true; },
    markAllRead: async () => list.forEach((n) => { n.read = true; }),
    deleteNotification: async (id) => { list.splice(list.findIndex((n) => n.id === id), 1); },
  };
}

const titles = (notices) => notices.list.map((n) => n.title);

test('one that comes as an event and in the list is there once, newest first', async () => {
  const server = serverOf([notice(2), notice(1)]);
  const notices = new Notices(server);
  notices.note(notice(2));
  await notices.look(true);
  notices.note(notice(3));
  notices.note(notice(3));
  assert.deepEqual(titles(notices), ['t3', 't2', 't1']);
});

test('older ones are loaded a page at a time', async () => {
  const notices = new Notices(serverOf(Array.from({ length: pageSize * 2 + 1 }, (_, i) => notice(100 - i))));
  await notices.look(true);
  assert.deepEqual([notices.list.length, notices.more], [pageSize, true]);
  await notices.older();
  await notices.older();
  assert.deepEqual([notices.list.length, notices.more], [pageSize * 2 + 1, false]);
});

test('reading and deleting shows at once; the count is the server\'s', async () => {
  const notices = new Notices(serverOf([notice(2), notice(1)]));
  await notices.look(true);
  notices.tell({ count: 2 });
  await notices.markRead(notice(2).id);
  assert.deepEqual(notices.list.map((n) => n.read), [true, false]);
  await notices.markAllRead();
  await notices.remove(notice(1).id);
  assert.deepEqual([titles(notices), notices.unread], [['t2'], 2]);
  notices.tell({ count: 0 });
  assert.equal(notices.unread, 0);
});

test('what other devices did shows while somebody looks, and costs nothing otherwise', async () => {
  const server = serverOf([notice(2), notice(1)]);
  const notices = new Notices(server);
  notices.tell({ count: 2 });
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.deepEqual(server.seen, []);
  await notices.look(true);
  server.list.splice(0, 1);
  const changed = new Promise((resolve) => notices.addEventListener('change', () => notices.list.length === 1 && resolve()));
  notices.tell({ count: 1 });
  await changed;
  assert.deepEqual(titles(notices), ['t1']);
});

test('a reading that is overtaken changes nothing', async () => {
  const held = [];
  const notices = new Notices({ notifications: () => new Promise((resolve) => held.push(resolve)) });
  const page = (list) => ({ notifications: list, pagination: { pages: 1 } });
  const first = notices.look(true);
  const second = notices.look(true);
  held[1](page([notice(2)]));
  await second;
  held[0](page([notice(1)]));
  await first;
  assert.deepEqual(titles(notices), ['t2']);
});

test('without a server the list says so and stays', async () => {
  const notices = new Notices({ notifications: async () => { throw new Error('no server'); } });
  notices.note(notice(1));
  await notices.look(true);
  assert.deepEqual([titles(notices), notices.loaded, notices.trouble.message], [['t1'], false, 'no server']);
});
