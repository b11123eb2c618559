'use strict';

// A page of January 2026 as the server sees it: the requests, the queue and
// the timers that docs/contract.md#clients and docs/contract.md#socketio list for realtime-sync.js, written anew.
//
// What matters to a server is kept to the byte: which headers and which JSON
// (order of keys included) go out, what counts as failure, that every failure
// of a create is queued as an offline operation, that any answer of a batch
// with a `results` list empties the whole queue, and that nothing else does.
// What a person sees is reduced to `rows` and the notes.

const { io } = require('socket.io-client');

const batchPeriodMs = 30000;

class OldPage {
  // base is the API's address, such as http://localhost:3000/api. storage is
  // what localStorage held when the page was loaded. everyMs replaces the
  // thirty seconds between two looks at the queue.
  constructor({ base, socketUrl, socketOptions, storage, everyMs, note, watch }) {
    this.base = base;
    this.socketUrl = socketUrl;
    this.socketOptions = socketOptions || {};
    this.storage = storage;
    this.everyMs = everyMs || batchPeriodMs;
    this.note = note;
    this.watch = watch;
    this.onLine = true;
    this.rows = [];
    this.timers = [];
    this.sockets = [];
  }

  // load reads the storage once and starts, as the document's load does.
  load() {
    this.token = this.storage.authToken;
    this.user = JSON.parse(this.storage.currentUser || 'null');
    this.queue = JSON.parse(this.storage.offlineQueue || '[]');
    this.deviceId = this.storage.deviceId || this.newDeviceId();
    if (this.token && this.user) this.start();
  }

  newDeviceId() {
    const name = 'device_' + Math.random().toString(36).slice(2, 11).padEnd(9, '0');
    this.storage.deviceId = name;
    return name;
  }

  // start opens a socket and a timer. Called twice, it opens two of each:
  // pages that follow the old manual do that.
  start() {
    this.openSocket();
    this.timers.push(setInterval(() => this.look(), this.everyMs));
  }

  look() {
    if (this.onLine && this.queue.length > 0) this.sync();
  }

  openSocket() {
    const socket = io(this.socketUrl, { forceNew: true, ...this.socketOptions, auth: { token: this.token } });
    this.socket = socket;
    this.sockets.push(socket);
    this.watch(socket);
    socket.on('connect', () => this.sync());
    socket.on('expense_created', (e) => this.fromElsewhere(e, () => this.rows.push(row(e))));
    socket.on('expense_updated', (e) => this.fromElsewhere(e, () => this.replace(e)));
    socket.on('expense_deleted', (e) => this.fromElsewhere(e, () => this.drop(e.id)));
  }

  fromElsewhere(payload, change) {
    if (payload.deviceId !== this.deviceId) change();
  }

  replace(expense) {
    const at = this.rows.findIndex((r) => r.id === expense._id);
    if (at >= 0) this.rows[at] = row(expense);
  }

  drop(id) {
    this.rows = this.rows.filter((r) => r.id !== id);
  }

  request(method, path, body) {
    const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${this.token}` };
    return fetch(this.base + path, { method, headers, body: JSON.stringify(body) });
  }

  // live tells whether a change is tried at once or queued.
  live() {
    return this.onLine && this.socket && this.socket.connected;
  }

  async send(method, path, body) {
    if (!this.live()) throw new Error('Offline');
    const answer = await this.request(method, path, body);
    if (!answer.ok) throw new Error(`${method} was answered ${answer.status}`);
    return answer.json(); // an empty body fails here, and is a failure like any other
  }

  enqueue(action, resourceId, data) {
    const operation = {
      action, resourceType: 'expense', resourceId, data, deviceId: this.deviceId, timestamp: Date.now(),
    };
    this.queue.push(operation);
    this.storage.offlineQueue = JSON.stringify(this.queue);
  }

  // save gives the stored expense, or the stand-in of a queued one.
  async save(expense) {
    const tempId = `temp_${Date.now()}`;
    try {
      return await this.send('POST', '/expenses', { ...expense, deviceId: this.deviceId });
    } catch {
      this.enqueue('CREATE', tempId, expense);
      return { _id: tempId, ...expense, date: new Date().toISOString(), user: this.user.id };
    }
  }

  // add is what the form does: save, then show.
  async add(expense) {
    const saved = await this.save(expense);
    this.rows.push(row(saved));
    return saved;
  }

  // remove fails where the old page rethrows; a temporary id is never queued.
  async remove(id) {
    try {
      return await this.send('DELETE', `/expenses/${id}`, { deviceId: this.deviceId });
    } catch (err) {
      if (!id.startsWith('temp_')) this.enqueue('DELETE', id, null);
      throw err;
    }
  }

  // sync sends the whole queue. It looks at this.queue again after the answer,
  // as the old page does, so operations queued meanwhile are lost with it.
  async sync() {
    if (this.queue.length === 0) return;
    try {
      const answer = await this.request('POST', '/sync/batch', { operations: this.queue });
      if (!answer.ok) return;
      const { results } = await answer.json();
      results.forEach((result, i) => this.rename(result, this.queue[i]));
      this.queue = [];
      this.storage.offlineQueue = '[]';
      this.note(`Synced ${results.length} operations`);
    } catch {
      this.note('Sync failed - Will retry later');
    }
  }

  rename(result, operation) {
    if (!result.success || operation.action !== 'CREATE' || !result.data) return;
    const known = this.rows.find((r) => r.id === operation.resourceId);
    if (known) known.id = result.data._id;
  }

  // setOnLine is the browser noticing the network: coming back connects again.
  setOnLine(onLine) {
    this.onLine = onLine;
    if (onLine) this.socket.connect();
  }

  // breakOff loses the connection as a page in the developer tools does it.
  breakOff() {
    this.socket.io.engine.close();
  }

  state() {
    const { queue, rows, deviceId, onLine, storage } = this;
    return { queue, rows, deviceId, onLine, connected: Boolean(this.socket && this.socket.connected), storage };
  }

  unload() {
    this.timers.forEach(clearInterval);
    this.sockets.forEach((s) => s.disconnect());
  }
}

function row(expense) {
  return {
    id: expense._id,
    text: expense.description,
    amount: expense.type === 'expense' ? -expense.amount : expense.amount,
    category: expense.category,
    type: expense.type,
    date: expense.date,
  };
}

module.exports = { OldPage };
