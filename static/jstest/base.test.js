import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base, basePath, keptName } from '../js/base.js';
import { Storage } from '../js/storage.js';
import { FakeDisk } from './fakes.js';

test('what is kept at the root has the names that browsers have it under already', () => {
  assert.deepEqual([base, basePath, keptName('expenseflow.session')], ['http://localhost/', '/', 'expenseflow.session']);
});

test('two installations on one origin find nothing of each other', () => {
  const disk = new FakeDisk();
  const stores = ['/', '/a/', '/a/b/'].map((path) => new Storage(disk, keptName('', path)));
  stores.forEach((store, i) => store.set('expenseflow.session', i));
  assert.deepEqual(stores.map((store) => [store.get('expenseflow.session'), store.keys('expenseflow.')]),
    [[0, ['expenseflow.session']], [1, ['expenseflow.session']], [2, ['expenseflow.session']]]);
  stores[1].remove('expenseflow.session');
  assert.deepEqual(stores.map((store) => store.get('expenseflow.session')), [0, null, 2]);
});

test('a change of another installation is none of this one', () => {
  const store = new Storage(new FakeDisk(), keptName('', '/a/'));
  assert.deepEqual(['/a/expenseflow.session', 'expenseflow.session', '/b/expenseflow.session'].map((key) => store.keyOf(key)),
    ['expenseflow.session', '', '']);
});
