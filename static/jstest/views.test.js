import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Views } from '../js/views.js';

test('the address tells which view is shown, and one that names none changes nothing', () => {
  const address = { hash: '#overview' };
  const views = new Views(address);
  let changes = 0;
  views.addEventListener('change', () => changes++);
  assert.equal(views.current, 'overview');
  for (const [hash, want] of [['#main', 'overview'], ['#entries', 'entries'], ['', 'entries'], ['#<script>', 'entries']]) {
    address.hash = hash;
    views.follow();
    assert.equal(views.current, want, hash);
  }
  views.show('overview');
  assert.deepEqual([views.current, address.hash, changes], ['overview', '#overview', 2]);
  assert.equal(new Views({ hash: '' }).current, 'entries');
});
