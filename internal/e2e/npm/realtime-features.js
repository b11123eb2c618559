'use strict';

// Runs the snippets of the document "Real-time Features" of the second frontend
// against a server, one step for each of its sentences, with socket.io-client as
// that frontend has it. Each step writes {"sentence", "failed"} as one line.
//
// What stands between "as written" marks is the document's own code; functions
// that it calls and does not define are defined here.
//
//	node realtime-features.js http://127.0.0.1:3000 http://127.0.0.1:9090

const assert = require('node:assert/strict');
const { format } = require('node:util');
const { io } = require('socket.io-client');
const debug = require(require.resolve('debug', { paths: [require.resolve('socket.io-client')] }));

const [url, metricsURL] = process.argv.slice(2);
const patience = 20000;
// Where the document says testData, an expense with canonical values.
const testData = { description: 'Lunch', amount: 12.5, category: 'food' };

let user;
let socket;
let other; // a second device
const opened = [];

const getAuthToken = () => user.token;

async function call(method, path, body, headers = {}) {
  const auth = user ? { Authorization: `Bearer ${user.token}` } : {};
  const json = body === undefined ? {} : { 'Content-Type': 'application/json' };
  const res = await fetch(url + path, { method, headers: { ...auth, ...json, ...headers }, body: JSON.stringify(body) });
  return { status: res.status, headers: res.headers, body: await res.json().catch(() => null) };
}

function connect(auth, options) {
  const s = io(url, { forceNew: true, ...options });
  s.auth = auth;
  opened.push(s);
  return s;
}

// once waits for the first event that the test accepts.
function once(emitter, event, accepts = () => true) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => { emitter.off(event, heard); reject(new Error(`no ${event} within ${patience} ms`)); }, patience);
    function heard(...args) {
      if (!accepts(...args)) return;
      clearTimeout(timer);
      emitter.off(event, heard);
      resolve(args[0]);
    }
    timer.unref(); // the connections keep the process alive
    emitter.on(event, heard);
  });
}

const ask = (s, event, ...args) => s.timeout(patience).emitWithAck(event, ...args);

// toMatchObject is what the document's test framework calls so.
function toMatchObject(value, part) {
  for (const key of Object.keys(part)) assert.deepEqual(value[key], part[key], key);
}

const steps = [
  ['Server Setup: pages of http://localhost:5173 may call', async () => {
    const res = await call('GET', '/socket.io/?EIO=4&transport=polling', undefined, { Origin: 'http://localhost:5173' });
    assert.equal(res.headers.get('access-control-allow-origin'), 'http://localhost:5173');
    assert.equal(res.headers.get('access-control-allow-credentials'), 'true');
  }],

  ['Client Connection', async () => {
    const registered = await call('POST', '/api/auth/register', { name: 'Ann', email: `ann${process.pid}.${Date.now()}@example.org`, password: 'a long enough password' });
    user = { token: registered.body.token, id: registered.body.user.id };
    // as written
    const socket_ = io(url, {
      autoConnect: true,
    });
    socket_.auth = { token: getAuthToken() };
    // /as written
    socket = socket_;
    opened.push(socket);
    await once(socket, 'connect');
    other = connect({ token: user.token, deviceId: 'other' }, { transports: ['websocket'] });
    await once(other, 'connect');
  }],

  ['Testing: should emit expense updates', () => new Promise((done, failed) => {
    setTimeout(() => failed(new Error('done was not called')), patience).unref();
    const expect = (value) => ({ toMatchObject: (part) => { try { toMatchObject(value, part); } catch (err) { failed(err); } } });
    // as written, with once for on: the next steps create more
    socket.emit('expense:create', testData);
    socket.once('expense:created', (data) => {
      expect(data).toMatchObject(testData);
      done();
    });
    // /as written
  })],

  ['Testing: Food is food, and what is not known is dropped', async () => {
    const answer = await ask(socket, 'expense:create', { ...testData, category: 'Food', icon: 'fork', tags: ['a'] });
    assert.equal(answer.ok, true, JSON.stringify(answer));
    toMatchObject(answer.expense, { ...testData, type: 'expense' });
    assert.equal('icon' in answer.expense, false);
    const http = await call('POST', '/api/expenses', { ...testData, category: 'Food', type: 'expense' });
    assert.equal(http.status, 400, 'HTTP is exact');
  }],

  ['Testing: a day comes back as it was sent', async () => {
    const data = { ...testData, day: '2026-01-19' };
    const heard = once(socket, 'expense:created');
    socket.emit('expense:create', data);
    toMatchObject(await heard, data);
  }],

  ['Listen for expense updates; emit to specific user', async () => {
    const { expense } = await ask(socket, 'expense:create', testData);
    const shown = new Promise((updateExpenseInUI) => {
      // as written
      socket.on('expense:updated', (data) => {
        updateExpenseInUI(data);
      });
      // /as written
    });
    const elsewhere = once(other, 'expense:updated');
    await ask(other, 'expense:update', { id: expense._id, amount: 20, mood: 'good' });
    toMatchObject(await shown, { _id: expense._id, amount: 20 });
    toMatchObject(await elsewhere, { _id: expense._id, amount: 20 });
  }],

  ['Live Notifications: expense updates', async () => {
    const told = once(socket, 'notification', (n) => n.type === 'expense_added');
    await ask(other, 'expense:create', testData);
    assert.equal((await told).data.deviceId, 'other');
  }],

  ['Live Notifications: account balance changes', async () => {
    const told = new Promise((resolve) => {
      const showNotification = (n) => { if (n.type === 'balance_changed') resolve(n); };
      // as written
      socket.on('notification', (notification) => {
        showNotification(notification);
      });
      // /as written
    });
    await ask(socket, 'expense:create', { ...testData, amount: 1.25 });
    assert.equal((await told).data.delta, -1.25);
  }],

  ['Live Notifications: budget threshold alerts', async () => {
    const budget = await call('POST', '/api/budgets', { name: 'Food', category: 'food', amount: 1000, period: 'monthly', alertThreshold: 80 });
    assert.equal(budget.status, 201, JSON.stringify(budget.body));
    const alert = once(socket, 'budget:alert');
    const told = once(socket, 'notification', (n) => n.type === 'budget_alert');
    await ask(socket, 'expense:create', { ...testData, amount: 900 });
    assert.equal((await alert).budgetName, 'Food');
    assert.equal((await told).priority, 'high');
  }],

  ['Live Dashboard Updates: charts, balance and category spending', async () => {
    const subscribed = await ask(socket, 'dashboard:subscribe');
    assert.equal(subscribed.ok, true);
    const before = subscribed.dashboard.totals;
    const spent = (await call('GET', '/api/accounts/balance')).body.expense; // of all days
    const moved = once(socket, 'dashboard:update', (d) => d.totals.count === before.count + 1);
    const balance = once(socket, 'account:balance', (b) => b.expense === spent + 3);
    await ask(other, 'expense:create', { ...testData, amount: 3, category: 'transport' });
    const d = await moved;
    assert.equal(d.totals.expense, before.expense + 3);
    assert.ok(d.series.length > 0);
    assert.ok(d.byCategory.some((c) => c.category === 'transport' && c.total === 3));
    assert.equal((await balance).cause.action, 'created');
  }],

  ['Debounce rapid updates', async () => {
    let updates = 0;
    const count = () => { updates++; };
    const { dashboard } = await ask(socket, 'dashboard:subscribe');
    socket.on('dashboard:update', count);
    const last = once(socket, 'dashboard:update', (d) => d.totals.count === dashboard.totals.count + 20);
    const operations = Array.from({ length: 20 }, (_, i) => ({
      action: 'CREATE', resourceType: 'expense', resourceId: `temp_${i}`, deviceId: 'other', timestamp: Date.now(), data: { ...testData, type: 'expense', description: `rapid ${i}` },
    }));
    await Promise.all([operations.slice(0, 10), operations.slice(10)].map((part) => call('POST', '/api/sync/batch', { operations: part })));
    await last;
    socket.off('dashboard:update', count);
    await ask(socket, 'dashboard:unsubscribe');
    assert.ok(updates < 10, `${updates} updates for 20 changes`);
  }],

  ['Batch multiple changes', async () => {
    const batching = connect({ token: user.token, deviceId: 'batching', features: ['batch'] });
    await once(batching, 'connect');
    const batch = once(batching, 'expenses:batch');
    const operations = Array.from({ length: 60 }, (_, i) => ({
      action: 'CREATE', resourceType: 'expense', resourceId: `temp_b${i}`, deviceId: 'other', timestamp: Date.now(), data: { ...testData, amount: 0.01, type: 'expense' },
    }));
    const answer = await call('POST', '/api/sync/batch', { operations });
    assert.equal(answer.body.results.length, 60);
    assert.ok((await batch).created.length > 1);
    batching.disconnect();
  }],

  ['Multi-device Sync: changes and presence', async () => {
    const { presence } = await ask(socket, 'presence:list');
    assert.ok(presence.online && presence.devices.some((d) => d.deviceId === 'other'));
    const heard = Promise.all([once(socket, 'expense:deleted'), once(other, 'expense:deleted')]);
    const { expense } = await ask(socket, 'expense:create', testData);
    await ask(socket, 'expense:delete', { id: expense._id });
    for (const e of await heard) assert.equal(e.id, expense._id);
  }],

  ['Room Management and live collaboration: room:activity', async () => {
    const { expense } = await ask(socket, 'expense:create', testData);
    const expenseId = expense._id;
    for (const s of [socket, other]) {
      // the document joins on the server; a page asks for the same room by its name
      const answer = await ask(s, 'room:join', `expense:${expenseId}`);
      assert.equal(answer.ok, true, JSON.stringify(answer));
    }
    const heard = once(other, 'room:activity', (a) => a.type === 'comment');
    await ask(socket, 'room:activity', { room: `expense:${expenseId}`, type: 'comment', data: { text: 'hello' } });
    assert.deepEqual((await heard).data, { text: 'hello' });
    const foreign = await ask(socket, 'room:join', 'expense:0123456789abcdef01234567');
    assert.equal(foreign.code, 'FORBIDDEN');
  }],

  ['Emit to all connected clients: system:status', async () => {
    const fresh = connect({ token: user.token });
    assert.equal((await once(fresh, 'system:status')).status, 'ok');
    fresh.disconnect();
  }],

  ['Authentication: Authentication error', async () => {
    const refused = connect({ token: 'not a token' });
    const heard = new Promise((resolve) => {
      // as written, with resolve for the console
      refused.on('connect_error', (error) => {
        resolve(error);
        // Show user-friendly error message
      });
      // /as written
    });
    assert.equal((await heard).message, 'Authentication error');
    refused.disconnect();
  }],

  ['Reconnection Strategy: reconnect is an event of the Manager', async () => {
    let onSocket = false;
    // as written, on the socket, where no event of this name comes since version 3
    socket.on('reconnect', (attemptNumber) => {
      onSocket = attemptNumber > 0;
    });
    // /as written
    const onManager = once(socket.io, 'reconnect');
    const back = once(socket, 'connect');
    socket.io.engine.close();
    const missed = once(socket, 'expense:created', (e) => e.description === 'meanwhile');
    await ask(other, 'expense:create', { ...testData, description: 'meanwhile' });
    await back;
    assert.ok(await onManager >= 1);
    await missed; // the sync of missed updates needs no line of the page
    assert.equal(onSocket, false);
  }],

  ['Compress large payloads', async () => {
    const res = await call('GET', '/api/expenses', undefined, { 'Accept-Encoding': 'gzip' });
    assert.equal(res.headers.get('content-encoding'), 'gzip');
  }],

  ['Heartbeat monitoring', async () => {
    const res = await fetch(`${url}/socket.io/?EIO=4&transport=polling`);
    assert.match(await res.text(), /"pingInterval":25000,"pingTimeout":20000/);
  }],

  ['Connection limits per user', async () => {
    const many = Array.from({ length: 6 }, () => connect({ token: user.token }));
    const refusals = await Promise.all(many.map((s) => Promise.race([once(s, 'connect').then(() => null), once(s, 'connect_error')])));
    const refused = refusals.filter(Boolean);
    assert.ok(refused.length > 0 && refused.every((err) => err.message === 'Too many connections'), String(refused));
    for (const s of many) s.disconnect();
  }],

  ['Input validation', async () => {
    const heard = once(socket, 'error:event');
    const answer = await ask(socket, 'expense:create', { ...testData, amount: -1 });
    assert.deepEqual([answer.ok, answer.code, (await heard).event], [false, 'INVALID', 'expense:create']);
  }],

  ['Rate limiting on events', async () => {
    const limited = once(other, 'error:event', (e) => e.code === 'RATE_LIMITED');
    for (let i = 0; i < 60; i++) other.emit('presence:list');
    assert.ok((await limited).retryAfterMs > 0);
  }],

  ['Debugging', async () => {
    const lines = [];
    debug.log = (...args) => lines.push(format(...args));
    // as written in a browser: localStorage.debug = 'socket.io-client:*'
    debug.enable('socket.io-client:*');
    const watched = connect({ token: user.token });
    await once(watched, 'connect');
    watched.disconnect();
    debug.disable();
    assert.ok(lines.length > 0);
  }],

  ['Monitoring', async () => {
    const text = await (await fetch(`${metricsURL}/metrics`)).text();
    for (const name of ['expenseflow_sockets', 'expenseflow_connections', 'expenseflow_socket_messages_in_total', 'expenseflow_socket_refusals_total']) {
      assert.ok(text.includes(`\n${name}`), name);
    }
  }],
];

async function main() {
  for (const [sentence, run] of steps) {
    let failed = '';
    await run().catch((err) => { failed = err.stack || String(err); });
    process.stdout.write(JSON.stringify({ sentence, failed }) + '\n');
  }
  for (const s of opened) s.disconnect();
}

main();
