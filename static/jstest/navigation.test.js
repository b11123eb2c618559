import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Navigation } from '../js/navigation.js';

test('the address tells which view is shown, and one that names none changes nothing', () => {
  const address = { hash: '#overview' };
  const navigation = new Navigation(address);
  let changes = 0;
  navigation.addEventListener('change', () => changes++);
  assert.equal(navigation.current, 'overview');
  for (const [hash, want] of [['#main', 'overview'], ['#entries', 'entries'], ['', 'entries'], ['#<script>', 'entries']]) {
    address.hash = hash;
    navigation.addressChanged();
    assert.equal(navigation.current, want, hash);
  }
  navigation.show('overview');
  assert.deepEqual([navigation.current, address.hash, changes], ['overview', '#overview', 2]);
  assert.equal(new Navigation({ hash: '' }).current, 'entries');
});
