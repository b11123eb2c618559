import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressFault, isListed, membersOf, presentText, refusalText } from '../js/sharing.js';

const sharing = {
  owner: { id: 'a', name: 'Ann' },
  sharedWith: [{ id: 'b', name: 'Bob', email: 'bob@example.org', role: 'viewer' }],
  invited: [{ email: 'cleo@example.org', role: 'editor' }],
};

test('an address is refused for what its owner sees anyway', () => {
  const fault = (email, role) => addressFault(email, role, sharing, 'ann@example.org');
  assert.match(fault('bob', 'viewer'), /Enter an e-mail address/);
  assert.match(fault('Ann@Example.org', 'viewer'), /your own/);
  assert.match(fault('cleo@example.org', 'editor'), /invited this address already/);
  assert.match(fault('BOB@example.org', 'viewer'), /Bob has this entry already/);
  assert.deepEqual([fault('cleo@example.org', 'viewer'), fault('bob@example.org', 'editor'), fault('new@example.org', 'viewer')], ['', '', '']);
  assert.deepEqual(['Cleo@example.org', 'bob@example.org', 'new@example.org'].map((email) => isListed(sharing, email)), [true, true, false]);
});

test('a refusal of the server says which it is', () => {
  assert.match(refusalText({ code: 'SHARE_SELF', message: 'x' }), /your own address/);
  assert.match(refusalText({ code: 'INVITATION_LIMIT', message: 'x' }), /Too many of your invitations/);
  assert.equal(refusalText({ code: 'RATE_LIMITED', message: 'Too many requests' }), 'Too many requests.');
});

test('the reader is named as such, among the members and those who look at the entry', () => {
  assert.deepEqual(membersOf(sharing, 'b').map((m) => [m.shown, m.role]), [['Ann', 'owner'], ['Bob (you)', 'viewer']]);
  assert.equal(presentText([{ id: 'a', name: 'Ann', devices: 2 }, { id: 'b', name: 'Bob', devices: 1 }], 'b'), 'Here now: you, Ann (2 devices)');
  assert.equal(presentText([], 'b'), '');
});
