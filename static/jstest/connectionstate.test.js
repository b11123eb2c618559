import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectionState } from '../js/connectionstate.js';
import { HttpError, Unreachable } from '../js/httpclient.js';

const state = (connected, error = null, { onLine = true, failed = false } = {}) => connectionState({ live: { connected, failed }, sync: { error }, onLine });

test('a request that does not arrive says that the connection was cut, before the socket notices', () => {
  assert.equal(state(true), 'live');
  assert.equal(state(true, new HttpError(503, { error: 'busy' }, 0)), 'live', 'the server answers');
  assert.equal(state(true, new Unreachable()), 'offline');
  assert.equal(state(true, null, { onLine: false }), 'live', 'the server may run on this machine');
});

test('without a connection it is on its way until something fails', () => {
  assert.equal(state(false), 'connecting');
  assert.deepEqual([state(false, null, { onLine: false }), state(false, null, { failed: true }), state(false, new Unreachable())], ['offline', 'offline', 'offline']);
});
