import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deedText, isDeed, opens } from '../js/deeds.js';

const row = { id: 'e1', description: 'House' };
const deed = (type, data = {}) => ({ type, data: { userId: 'b', userName: 'Bob', expenseId: 'e1', count: 1, ...data } });
const seen = (more = {}) => ({ row, loaded: true, invited: false, mayEdit: () => true, ...more });

test('what another person did is said with the name of the entry, if it is known', () => {
  assert.equal(deedText(deed('expense_edited'), row), 'Bob changed “House”.');
  assert.equal(deedText(deed('expense_edited', { count: 7 }), row), 'Bob changed “House” 7 times.');
  assert.equal(deedText(deed('expense_commented', { count: 2 }), undefined), 'Bob wrote 2 comments on an entry.');
  assert.equal(deedText(deed('expense_shared'), row), 'Bob shared “House” with you.');
  assert.equal(deedText(deed('invitation_received'), undefined), 'Bob wants to share an entry with you.');
  assert.equal(deedText(deed('expense_edited', { expenseId: undefined, count: 40 }), undefined), 'Bob changed more entries that you share.');
});

test('an invitation that was answered does not ask any more', () => {
  assert.equal(deedText(deed('invitation_received'), row, true), 'Bob shared “House” with you.');
  assert.equal(deedText(deed('invitation_received'), undefined, true), 'Bob wanted to share an entry with you. That is answered, or was taken back.');
});

test('an edit opens the form, or the people of an entry that may only be viewed', () => {
  assert.equal(opens(deed('expense_edited'), seen()), 'edit');
  assert.equal(opens(deed('expense_edited'), seen({ mayEdit: () => false })), 'people');
  assert.equal(opens(deed('expense_commented'), seen()), 'people');
});

test('an entry that is not there is gone once all entries are loaded', () => {
  assert.equal(opens(deed('expense_commented'), seen({ row: undefined })), 'gone');
  assert.equal(opens(deed('expense_commented'), seen({ row: undefined, loaded: false })), 'unknown');
  assert.equal(opens(deed('expense_edited', { expenseId: undefined }), seen({ row: undefined })), null);
});

test('an invitation opens where it is answered, the entry once it is accepted, and nothing when it was withdrawn', () => {
  assert.equal(opens(deed('invitation_received'), seen({ row: undefined, invited: true })), 'invitations');
  assert.equal(opens(deed('invitation_received'), seen()), 'people');
  assert.equal(opens(deed('invitation_received'), seen({ row: undefined })), 'gone');
});

test('a notification of an older server, and one of something else, is shown as it is', () => {
  assert.equal(isDeed({ type: 'expense_edited', data: null }), false);
  assert.equal(isDeed({ type: 'budget_alert', data: { userName: 'x' } }), false);
  assert.equal(isDeed(deed('expense_edited')), true);
});
