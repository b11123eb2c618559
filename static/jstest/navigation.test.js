import assert from 'node:assert/strict';
import { test } from 'node:test';
import { thisMonth } from '../js/months.js';
import { Navigation } from '../js/navigation.js';
import { FakeTimers } from './fakes.js';

/** A window's location with its history: back goes to the address before. */
class FakeAddress {
  #past = [];
  #now;

  constructor(hash = '') {
    this.#now = hash;
  }

  get hash() {
    return this.#now;
  }

  set hash(hash) {
    this.#past.push(this.#now);
    this.#now = hash;
  }

  replace(hash) {
    this.#now = hash;
  }

  back() {
    this.#now = this.#past.pop();
  }
}

function setUp(hash = '') {
  const [address, timers] = [new FakeAddress(hash), new FakeTimers()];
  const navigation = new Navigation(address, timers);
  const changes = [];
  navigation.addEventListener('change', ({ byAddress }) => changes.push(byAddress));
  const back = () => { address.back(); navigation.addressChanged(); };
  return { address, timers, navigation, changes, back };
}

test('the address tells which view is shown, and one that names none changes nothing', () => {
  const { address, navigation, changes } = setUp('#overview');
  assert.equal(navigation.current, 'overview');
  for (const [hash, want] of [['#main', 'overview'], ['#entries', 'entries'], ['', 'entries'], ['#<script>', 'entries']]) {
    address.hash = hash;
    navigation.addressChanged();
    assert.equal(navigation.current, want, hash);
  }
  navigation.show('overview');
  assert.deepEqual([navigation.current, address.hash, changes], ['overview', '#overview', [true, false]]);
  assert.equal(new Navigation({ hash: '' }).current, 'entries');
});

test('the address holds month, search and filters, and going back returns to each', () => {
  const { address, navigation, back } = setUp('#entries?month=2026-02&q=tea');
  assert.deepEqual([navigation.month, navigation.place.q], ['2026-02', 'tea']);
  navigation.set({ month: '2026-01' });
  navigation.show('overview');
  navigation.find({ category: 'food', month: 'all' });
  assert.equal(address.hash, '#entries?month=all&category=food');
  back();
  assert.deepEqual([navigation.current, navigation.month, navigation.place.q], ['overview', '2026-01', 'tea']);
  back();
  back();
  assert.deepEqual([navigation.current, navigation.month, navigation.place.q], ['entries', '2026-02', 'tea']);
});

test('the present month is not named, so that it goes on when the month ends', () => {
  const { address, navigation } = setUp('#entries?month=2020-01');
  navigation.set({ month: thisMonth() });
  assert.deepEqual([navigation.month, address.hash], [thisMonth(), '#entries']);
});

test('going back from a search does not repeat how it was typed', async () => {
  const { address, timers, navigation, back } = setUp('#entries');
  for (const q of ['t', 'te', 'tea']) {
    navigation.search(q);
    navigation.addressChanged(); // the event of the first letter comes after more were typed
    assert.equal(navigation.place.q, q);
  }
  await timers.elapse();
  assert.equal(address.hash, '#entries?q=tea');
  back();
  assert.deepEqual([navigation.place.q, address.hash], ['', '#entries']);
});

test('what is typed is in the address before anything else changes it', () => {
  const { address, navigation, back } = setUp('#entries');
  navigation.search('t');
  navigation.search('tea');
  navigation.set({ category: 'food' });
  assert.equal(address.hash, '#entries?q=tea&category=food');
  back();
  assert.equal(address.hash, '#entries?q=tea');
});

test('what changes nothing adds nothing to the history', () => {
  const { address, navigation, changes } = setUp('#entries?q=tea');
  navigation.set({ q: 'tea' });
  navigation.show('entries');
  assert.deepEqual(changes, []);
  address.back();
  assert.equal(address.hash, undefined);
});

test('whoever leaves leaves no search in the address', async () => {
  const { address, timers, navigation } = setUp('#entries?q=t');
  navigation.search('tea');
  navigation.leave();
  await timers.elapse();
  assert.equal(address.hash, '#entries');
});

test('Back while something lies over the place leaves place and address as they are', () => {
  const { address, navigation, changes } = setUp('#entries');
  navigation.show('overview');
  let asked = 0;
  const held = () => { asked++; return true; };
  address.back();
  navigation.addressChanged(held);
  assert.deepEqual([navigation.current, address.hash, asked], ['overview', '#overview', 1]);
  navigation.addressChanged(held); // the browser tells of the address that was put back
  assert.equal(asked, 1);
  address.back();
  navigation.addressChanged();
  assert.deepEqual([navigation.current, changes], ['entries', [false, true]]);
});
