import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Devices } from '../js/devices.js';
import { FakeLive } from './fakes.js';

/** The devices of a user of two devices and another app, seen on d1; kept are the tokens that the session went on with. */
async function setUp() {
  const live = new FakeLive();
  const list = [{ deviceId: 'd2', online: false }, { deviceId: 'd1', online: true }];
  const sessions = [{ id: 's1', current: true, devices: [] }, { id: 's2', current: false, devices: ['d1'] }, { id: 's3', current: false, devices: [] }];
  const asked = [];
  const api = {
    devices: async () => [...list], sessions: async () => [...sessions],
    endSession: async (id) => asked.push(`end ${id}`), signOutDevice: async (id) => asked.push(`out ${id}`),
    logoutOthers: async () => (list.shift(), sessions.splice(2), { token: 'second' }),
  };
  const kept = [];
  const devices = new Devices({ live, api, deviceId: 'd1', keepToken: async (work) => kept.push((await work()).token) });
  await devices.setOpen(true);
  return { live, devices, asked, kept };
}

const ids = (devices) => [...devices.list.map((d) => d.deviceId), ...devices.sessions.map((s) => s.id)];

test('devices come and go while somebody looks at them, this one first', async () => {
  const { live, devices, asked } = await setUp();
  assert.deepEqual(ids(devices), ['d1', 'd2', 's3']);
  live.receive('presence:update', { userId: 'anna', online: true, devices: [{ deviceId: 'd2' }] });
  assert.deepEqual(devices.list.map((d) => d.online), [false, true]);
  await devices.signOut({ deviceId: 'd2' });
  assert.deepEqual([ids(devices), devices.hasOthers], [['d1', 's3'], true]);
  await devices.signOut({ id: 's3' });
  assert.deepEqual([ids(devices), devices.hasOthers], [['d1'], false]);
  assert.deepEqual(asked, ['out d2', 'end s3']);
});

test('all others are signed out, and this device goes on with another token', async () => {
  const { devices, kept } = await setUp();
  await devices.signOutOthers();
  assert.deepEqual([ids(devices), devices.hasOthers, kept], [['d1'], false, ['second']]);
});
