import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Invitations } from '../js/invitations.js';

test('an invitation that was answered, here or elsewhere, waits no longer, and what told of it can go', async () => {
  const told = {};
  const lists = [[{ id: 'a' }, { id: 'b' }, { id: 'c' }], [{ id: 'b' }]];
  const api = { invitations: async () => lists.shift(), blocked: async () => [], acceptInvitation: async () => {}, block: async () => {} };
  const live = Object.assign(new EventTarget(), { listen: (event, handle) => { told[event] = handle; } });
  const invitations = new Invitations({ api, live });
  const closed = [];
  invitations.addEventListener('closed', ({ id }) => closed.push(id));
  await invitations.read();
  await invitations.accept('a');
  await invitations.block('somebody'); // who sent c
  told['invitation:closed']({ id: 'b' });
  told['invitation:closed']({ id: 'unread' });
  assert.deepEqual([closed, invitations.waiting], [['a', 'c', 'b', 'unread'], []]);
});
