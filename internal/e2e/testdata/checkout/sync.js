'use strict';

// The socket, and the queue of what is done offline.

/* global io, account, find, headers, note, add, replace, drop, rename */
/* exported save, remove */

let socket;
let queue = JSON.parse(localStorage.getItem('offlineQueue') ?? '[]');
const deviceId = localStorage.getItem('deviceId') ?? newDevice();

function newDevice() {
  const id = `device_${crypto.randomUUID().slice(0, 8)}`;
  localStorage.setItem('deviceId', id);
  return id;
}

function send(method, path, body) {
  return fetch(path, { method, headers: { ...headers(), 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
}

// attempt sends a change at once, or fails where it has to be queued.
async function attempt(method, path, body) {
  if (!navigator.onLine || !socket?.connected) throw new Error('offline');
  const answer = await send(method, path, body);
  if (!answer.ok) throw new Error(`answered ${answer.status}`);
  return answer.json();
}

function enqueue(action, resourceId, data) {
  queue.push({ action, resourceType: 'expense', resourceId, data, deviceId, timestamp: Date.now() });
  localStorage.setItem('offlineQueue', JSON.stringify(queue));
}

async function save(expense) {
  const resourceId = `temp_${Date.now()}`;
  try {
    return await attempt('POST', '/api/expenses', { ...expense, deviceId });
  } catch {
    enqueue('CREATE', resourceId, expense);
    return { _id: resourceId, ...expense };
  }
}

async function remove(id) {
  try {
    return await attempt('DELETE', `/api/expenses/${id}`, { deviceId });
  } catch (err) {
    if (!id.startsWith('temp_')) enqueue('DELETE', id, null);
    throw err;
  }
}

async function flush() {
  if (queue.length === 0) return;
  const answer = await send('POST', '/api/sync/batch', { operations: queue });
  if (!answer.ok) return;
  const { results } = await answer.json();
  results.forEach((result, i) => {
    if (result.success && queue[i].action === 'CREATE' && result.data) rename(queue[i].resourceId, result.data._id);
  });
  queue = [];
  localStorage.setItem('offlineQueue', '[]');
  note(`Synced ${results.length}`);
}

function listen() {
  const status = (text) => { document.querySelector('.status').textContent = text; };
  const fromElsewhere = (change) => (payload) => payload.deviceId === deviceId || change(payload);
  socket = io({ auth: { token: account.token } });
  socket.on('connect', () => { status('Live'); flush(); });
  socket.on('disconnect', () => status('Offline'));
  socket.on('expense_created', fromElsewhere(add));
  socket.on('expense_updated', fromElsewhere(replace));
  socket.on('expense_deleted', fromElsewhere((payload) => drop(payload.id)));
}

window.addEventListener('online', () => { socket?.connect(); flush(); });

document.addEventListener('DOMContentLoaded', () => account.token && account.user && listen());
