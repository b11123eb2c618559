import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeviceNames } from '../js/devicenames.js';

test('of two changes by one person each side is called by its device', async () => {
  const names = new DeviceNames({ api: { devices: async () => [{ deviceId: 'phone', client: 'Safari on iPhone' }] }, session: { user: { id: 'ann' } }, deviceId: 'laptop' });
  await names.load();
  const side = (by, deviceId) => names.side({ by, deviceId });
  const ann = { id: 'ann', name: 'Ann' };
  assert.deepEqual([side(ann, 'laptop'), side(ann, 'phone'), side(ann, 'tablet'), side(ann)], ['This device', 'Your Safari on iPhone', 'Your other device', 'Your other device']);
  assert.deepEqual([side({ id: 'bob', name: 'Bob' }, 'phone'), side(null)], ['', '']);
});
