import assert from 'node:assert/strict';
import { test } from 'node:test';
import { passing } from '../js/passing.js';
import { FakeTimers } from './fakes.js';

test('a message goes after a while, but not while somebody is at it', async () => {
  const timers = new FakeTimers();
  let [held, ended] = [true, 0];
  passing(10_000, () => held, () => ended++, timers);
  assert.deepEqual([await timers.elapse(), ended], [[10_000], 0]);
  held = false;
  assert.deepEqual([await timers.elapse(), ended, timers.pending.length], [[10_000], 1, 0]);
});

test('a message that is to stay does', async () => {
  const timers = new FakeTimers();
  passing(10_000, () => false, () => assert.fail('it went'), timers)();
  assert.deepEqual(await timers.elapse(), []);
});
