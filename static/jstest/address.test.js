import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noFilter, placeOf, readAddress, writeAddress } from '../js/address.js';

const values = {
  month: ['', '2026-11', 'all', '0001-01'],
  q: ['', 'coffee', 'Café & “Bar”', '#tag 50%', 'a+b=c?x#y', ' two  words ', '咖啡'],
  kind: ['', 'expense', 'income'],
  category: ['', 'food', 'a b'],
  min: ['', '0.01', '12.5'],
  max: ['', '9000000000000', '0'],
  from: ['', '2026-11-01', '2024-02-29'],
  to: ['', '2026-11-30', '9999-12-31'],
  person: ['', 'me', '64b000000000000000000001'],
  device: ['', 'device_abc123xyz'],
};

test('an address names the place that it was written from', () => {
  let seed = 1;
  const pick = (list) => list[(seed = (seed * 48_271) % 2_147_483_647) % list.length];
  for (let i = 0; i < 2_000; i++) {
    const place = { view: pick(['entries', 'overview']), ...Object.fromEntries(Object.entries(values).map(([name, list]) => [name, pick(list)])) };
    assert.deepEqual(readAddress(writeAddress(place)), place);
  }
});

test('a place at first has the shortest address', () => {
  assert.equal(writeAddress(placeOf('entries')), '#entries');
  assert.equal(writeAddress({ ...placeOf('overview'), month: '2026-11', q: 'two words' }), '#overview?month=2026-11&q=two+words');
});

test('what an address says wrongly counts as not said, and one without a view names no place', () => {
  const wrong = '#entries?month=2026-13&kind=gift&min=-1&max=1e9&from=2026-02-30&to=today&q=+&colour=red';
  assert.deepEqual(readAddress(wrong), placeOf('entries'));
  assert.deepEqual(readAddress('#entries'), { view: 'entries', month: '', ...noFilter });
  for (const hash of ['', '#', '#main', '#<script>', '#entries/', '#entriesx?q=a', '?q=a']) {
    assert.equal(readAddress(hash), null, hash);
  }
});
