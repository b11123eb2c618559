import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decisions, merged, mineOnly, undecided } from '../js/merge.js';

const base = {
  description: 'Lunch', amount: 12.5, currency: 'EUR', type: 'expense', category: 'food',
  date: '2026-03-01T10:00:00.000Z', day: '2026-03-01', merchant: 'Bistro', notes: '', tags: ['work'], version: 1,
};
const names = (all) => all.map(({ name, choice }) => `${name}: ${choice}`);

test('what one side alone changed is decided for that side', () => {
  const all = decisions({ base, patch: { notes: 'with Dave', version: 1 }, theirs: { ...base, merchant: 'Canteen', version: 2 } });
  assert.deepEqual(names(all), ['merchant: theirs', 'notes: mine']);
  assert.equal(undecided(all, {}), undefined);
  assert.deepEqual(merged(all, {}), { notes: 'with Dave' });
  assert.deepEqual(mineOnly(all), { merchant: 'Bistro', notes: 'with Dave' });
});

test('what both changed differently has to be chosen', () => {
  const all = decisions({ base, patch: { amount: 13, notes: 'mine' }, theirs: { ...base, amount: 14 } });
  assert.deepEqual(names(all), ['amount: null', 'notes: mine']);
  assert.equal(undecided(all, {}).name, 'amount');
  assert.equal(undecided(all, { amount: 'theirs' }), undefined);
  assert.deepEqual(merged(all, { amount: 'theirs' }), { notes: 'mine' });
  assert.deepEqual(merged(all, { amount: 'mine', notes: 'theirs' }), { amount: 13, currency: 'EUR' });
});

test('what both changed to the same is no difference', () => {
  assert.deepEqual(decisions({ base, patch: { amount: 13 }, theirs: { ...base, amount: 13.0, version: 2 } }), []);
});

test('an amount is decided on with its currency', () => {
  const all = decisions({ base, patch: { amount: 13 }, theirs: { ...base, currency: 'USD' } });
  assert.deepEqual(names(all), ['amount: null']);
  assert.deepEqual(merged(all, { amount: 'mine' }), { amount: 13, currency: 'EUR' });
});

test('amounts are compared exactly', () => {
  const huge = { ...base, amount: 8999999999999.99 };
  assert.deepEqual(names(decisions({ base: huge, patch: { amount: 8999999999999.98 }, theirs: huge })), ['amount: mine']);
});

test('of a date the day counts', () => {
  const theirs = { ...base, date: '2026-03-01T18:00:00.000Z' };
  assert.deepEqual(decisions({ base, patch: {}, theirs }), []);
  const all = decisions({ base, patch: { date: '2026-03-05', day: '2026-03-05' }, theirs });
  assert.deepEqual(names(all), ['date: mine']);
  assert.deepEqual(merged(all, {}), { date: '2026-03-05', day: '2026-03-05' });
});

test('a date without a day is not sent with the day of another', () => {
  const all = decisions({ base, patch: { date: '2026-03-05' }, theirs: { ...base, notes: 'x' } });
  assert.deepEqual(merged(all, {}), { date: '2026-03-05' });
});

test('a text that was taken away is sent empty, and unset is the same as empty', () => {
  const { notes, ...without } = base;
  assert.deepEqual(decisions({ base, patch: { notes: '' }, theirs: without }), []);
  const all = decisions({ base, patch: { merchant: '', tags: [] }, theirs: base });
  assert.deepEqual(merged(all, {}), { merchant: '', tags: [] });
});

test('when it is not known what both began with, whatever this person sent has to be chosen', () => {
  const all = decisions({ base: null, patch: { amount: 13, notes: 'mine', version: 1 }, theirs: { ...base, merchant: 'Canteen' } });
  assert.deepEqual(names(all), ['amount: null', 'notes: null']);
});

test('whatever is chosen, the result has for each field the value of the chosen side', () => {
  const values = { description: ['a', 'b', 'c'], amount: [1, 2, 3], notes: ['', 'x', 'y'], category: ['food', 'travel', 'bills'], tags: [[], ['p'], ['q']] };
  for (let seed = 0; seed < 400; seed++) {
    const pick = (list, n) => list[Math.floor(seed / 3 ** n) % list.length];
    const at = (shift) => Object.fromEntries(Object.entries(values).map(([field, list], i) => [field, pick(list, (i + shift) % 6)]));
    const [old, mine, theirs] = [{ ...base, ...at(0) }, at(2), { ...base, ...at(4) }];
    const all = decisions({ base: old, patch: mine, theirs });
    const choices = Object.fromEntries(all.map(({ name }, i) => [name, (seed >> i) % 2 ? 'mine' : 'theirs']));
    const stored = { ...theirs, ...merged(all, choices) };
    for (const field of Object.keys(values)) {
      const want = choices[field] === 'mine' ? mine[field] : theirs[field];
      assert.deepEqual(stored[field], want, `${field}, seed ${seed}`);
    }
  }
});
