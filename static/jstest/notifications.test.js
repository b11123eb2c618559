import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Notifications, pageSize } from '../js/notifications.js';

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

const titles = (notifications) => notifications.list.map((n) => n.title);

test('one that comes as an event and in the list is there once, newest first', async () => {
  const server = serverOf([notice(2), notice(1)]);
  const notifications = new Notifications(server);
  notifications.add(notice(2));
  await notifications.setOpen(true);
  notifications.add(notice(3));
  notifications.add(notice(3));
  assert.deepEqual(titles(notifications), ['t3', 't2', 't1']);
});

test('older ones are loaded a page at a time', async () => {
  const notifications = new Notifications(serverOf(Array.from({ length: pageSize * 2 + 1 }, (_, i) => notice(100 - i))));
  await notifications.setOpen(true);
  assert.deepEqual([notifications.list.length, notifications.more], [pageSize, true]);
  await notifications.loadOlder();
  await notifications.loadOlder();
  assert.deepEqual([notifications.list.length, notifications.more], [pageSize * 2 + 1, false]);
});

test('reading and deleting shows at once; the count is the server\'s', async () => {
  const notifications = new Notifications(serverOf([notice(2), notice(1)]));
  await notifications.setOpen(true);
  notifications.setUnread({ count: 2 });
  await notifications.markRead(notice(2).id);
  assert.deepEqual(notifications.list.map((n) => n.read), [true, false]);
  await notifications.markAllRead();
  await notifications.remove(notice(1).id);
  assert.deepEqual([titles(notifications), notifications.unread], [['t2'], 2]);
  notifications.setUnread({ count: 0 });
  assert.equal(notifications.unread, 0);
});

test('what other devices did shows while somebody looks, and costs nothing otherwise', async () => {
  const server = serverOf([notice(2), notice(1)]);
  const notifications = new Notifications(server);
  notifications.setUnread({ count: 2 });
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.deepEqual(server.seen, []);
  await notifications.setOpen(true);
  server.list.splice(0, 1);
  const changed = new Promise((resolve) => notifications.addEventListener('change', () => notifications.list.length === 1 && resolve()));
  notifications.setUnread({ count: 1 });
  await changed;
  assert.deepEqual(titles(notifications), ['t1']);
});

test('a reading that is overtaken changes nothing', async () => {
  const held = [];
  const notifications = new Notifications({ notifications: () => new Promise((resolve) => held.push(resolve)) });
  const page = (list) => ({ notifications: list, pagination: { pages: 1 } });
  const first = notifications.setOpen(true);
  const second = notifications.setOpen(true);
  held[1](page([notice(2)]));
  await second;
  held[0](page([notice(1)]));
  await first;
  assert.deepEqual(titles(notifications), ['t2']);
});

test('without a server the list says so and stays', async () => {
  const notifications = new Notifications({ notifications: async () => { throw new Error('no server'); } });
  notifications.add(notice(1));
  await notifications.setOpen(true);
  assert.deepEqual([titles(notifications), notifications.loaded, notifications.error.message], [['t1'], false, 'no server']);
});
