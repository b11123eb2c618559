import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Completion } from '../js/completion.js';
import { random } from './fakes.js';

const now = Date.parse('2026-11-30T12:00:00Z');
const ago = (days) => new Date(now - days * 86_400_000).toISOString();
const row = (description, days, more = {}) => ({ description, date: ago(days), amount: 1, category: 'food', ...more });
const offered = (typed, rows) => new Completion().of(typed, rows, now).map((r) => r.description);

test('the most used and most recent come first', () => {
  const rows = [row('Cinema', 1), row('Coffee', 2), row('Coffee', 3), ...[200, 201, 202, 203, 204].map((days) => row('Concert', days))];
  assert.deepEqual(offered('c', rows), ['Coffee', 'Cinema', 'Concert']);
});

test('case and accents do not matter, and the newest spelling stands for all', () => {
  const rows = [row('café müller', 1, { amount: 3.9 }), row('Café Müller', 5, { amount: 4 })];
  for (const typed of ['caf', 'CAFÉ', 'cafe m', 'Müller', 'mul', '  cafe ']) {
    assert.deepEqual(new Completion().of(typed, rows, now).map((r) => r.amount), [3.9], typed);
  }
});

test('the beginning counts more than a later word, and the middle of a word nothing', () => {
  const rows = [...[1, 2, 3].map((days) => row('Old bus', days)), row('Bus ticket', 9), row('Robust shoes', 1)];
  assert.deepEqual(offered('bus', rows), ['Bus ticket', 'Old bus']);
});

test('what others share and what is being deleted is not suggested', () => {
  assert.deepEqual(offered('', [row('Theirs', 1, { sharedBy: { name: 'Bo' } }), row('Gone', 1, { pending: 'DELETE' }), row('Mine', 1)]), ['Mine']);
});

test('there are at most six, and new rows are seen', () => {
  const completion = new Completion();
  const rows = 'abcdefgh'.split('').map((letter) => row(`x${letter}`, 1));
  assert.equal(completion.of('x', rows, now).length, 6);
  assert.deepEqual(completion.of('new', [row('New one', 0), ...rows], now).map((r) => r.description), ['New one']);
});

test('whatever is typed, each description comes once and all match', () => {
  const { below, pick } = random(7);
  const names = ['Café', 'cafe', 'Tea time', 'tea', 'Ärger', 'a', ''];
  for (let i = 0; i < 300; i++) {
    const rows = Array.from({ length: below(20) }, () => row(pick(names), below(400)));
    const got = offered(pick(['', 'c', 'ca', 'te', 't', 'ä', 'zzz']), rows).map((d) => d.toLowerCase().replace('é', 'e'));
    assert.equal(new Set(got).size, got.length);
  }
});
