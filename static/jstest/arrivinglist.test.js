import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ArrivingList } from '../js/arrivinglist.js';
import { random } from './fakes.js';

const expenses = [
  { _id: '1', description: '"},{\\"_id\\":"', sharedBy: { id: 'a', name: 'A' } }, { _id: '2', description: '},{"_id":' }, { _id: '3', tags: ['],[', '},{'] }, { _id: '4' },
];
const answer = { epoch: 'e', snapshot: true, seq: 7, next: 'e.u.7', expenses };

function inParts(text, cut) {
  const arrived = [];
  const list = new ArrivingList((some) => arrived.push(some));
  for (let at = 0; at < text.length;) {
    const end = at + cut();
    list.take(text.slice(at, end));
    at = end;
  }
  return { whole: list.finish(), arrived };
}

test('however it is cut, the list arrives in order, and the answer is what was sent', () => {
  const { below } = random(1);
  for (const most of [1, 7, 30, 10_000]) {
    for (let i = 0; i < 20; i++) {
      const { whole, arrived } = inParts(JSON.stringify(answer), () => 1 + below(most));
      assert.deepEqual(whole, answer);
      assert.deepEqual(arrived.flat(), expenses.slice(0, arrived.flat().length));
    }
  }
});

test('what has arrived is given away before the rest is there', () => {
  const arrived = [];
  const list = new ArrivingList((some) => arrived.push(...some));
  list.take(`${JSON.stringify(answer).split(',{"_id":"3"')[0]},{"_id":"3"`);
  assert.deepEqual(arrived, expenses.slice(0, 2));
});

test('an answer without a list is read as a whole', () => {
  for (const other of [{ epoch: 'e', since: 1, changes: [{ expense: { description: ',"expenses":[' } }] }, { error: 'Not authorized' }, { ...answer, expenses: [] }]) {
    const { whole, arrived } = inParts(JSON.stringify(other), () => 9);
    assert.deepEqual([whole, arrived], [other, []]);
  }
});

test('a list that ends too early is an error', () => {
  for (const end of [-1, -2, -10]) {
    assert.throws(() => inParts(JSON.stringify(answer).slice(0, end), () => 50), SyntaxError);
  }
});

test('more is given away each time, so that showing it does not hold up the rest', () => {
  const counts = [];
  const list = new ArrivingList((some) => counts.push(some.length));
  list.take('{"epoch":"e","expenses":[');
  for (let i = 0; i < 1_000; i++) {
    list.take(`${i ? ',' : ''}{"_id":"${i}"}`);
  }
  list.take(']}');
  assert.deepEqual(counts, [1, 3, 12, 48, 192]);
  assert.equal(list.finish().expenses.length, 1_000);
});
