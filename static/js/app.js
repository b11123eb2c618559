import { actionsOf } from './actions.js';
import { Api, Unauthorized } from './api.js';
import { Balance } from './balance.js';
import { Book, forgetOthers, forgetRows } from './book.js';
import { Budgets } from './budgets.js';
import { Dashboard } from './dashboard.js';
import { deviceZone, onNewDay } from './days.js';
import { Devices } from './devices.js';
import { h, icon, soon } from './dom.js';
import { count } from './format.js';
import { Invitations } from './invitations.js';
import { Live } from './live.js';
import { Notices } from './notices.js';
import * as account from './panels/account.js';
import * as balance from './panels/balance.js';
import * as budgets from './panels/budgets.js';
import * as devices from './panels/devices.js';
import { Editor } from './panels/editor.js';
import * as entry from './panels/entry.js';
import * as invitations from './panels/invitations.js';
import * as list from './panels/list.js';
import * as notices from './panels/notices.js';
import * as overview from './panels/overview.js';
import * as parked from './panels/parked.js';
import * as people from './panels/people.js';
import { signIn } from './panels/signin.js';
import * as status from './panels/status.js';
import * as summary from './panels/summary.js';
import * as system from './panels/system.js';
import * as way from './panels/views.js';
import { Queue, waiting } from './queue.js';
import { Room } from './room.js';
import * as sessions from './session.js';
import { Settings } from './settings.js';
import { browserStorage } from './storage.js';
import { Sync } from './sync.js';
import { Toast } from './toast.js';
import { totals } from './totals.js';
import { Views, views } from './views.js';

/**
 * The panels of the page, in reading order. A panel is a module whose mount
 * takes the context that openLedger makes and gives the elements it wants
 * shown: `header`, `banner`, `aside`, `main`, `nav`, those of one view under its
 * name (views.js), `floating`, `overlay`; and, if it has any, a `render` that
 * brings them up to date. A new panel is a line here, in index.html and in sw.js.
 */
const panels = [balance, status, notices, invitations, devices, account, system, summary, entry, parked, way, people, list, overview, budgets];

/** Milliseconds after a change until the rows are kept for the next start. */
const rememberPause = 2_000;

const storage = browserStorage();
const root = document.querySelector('#app');
let close = () => {};

/** Shows the page that fits: the ledger with a session, else the sign-in. */
function start(notice = '', email = '') {
  close();
  const session = sessions.load(storage);
  forgetOthers(storage, session?.user.id);
  tellEndings();
  close = session ? openLedger(session) : openDoor(notice, email);
}

function openDoor(notice, email) {
  const door = signIn({
    api: new Api(), notice, email,
    entered: (answer) => {
      sessions.open(storage, answer);
      start();
      document.querySelector('.view:not([hidden]) h2')?.focus();
    },
  });
  root.replaceChildren(door.element);
  door.focus();
  return () => {};
}

function openLedger(session) {
  const context = contextOf(session);
  const mounted = panels.map((panel) => panel.mount(context));
  root.replaceChildren(...frame(mounted, context));
  document.title = 'ExpenseFlow';
  const unhear = hear(context);
  mounted.forEach((panel) => panel.render?.());
  context.live.start();
  context.settings.refresh();
  context.sync.refresh();
  context.budgets.refresh();
  return () => {
    context.closed = true;
    context.settings.stop();
    unhear();
    context.sync.stop();
    context.live.stop();
    context.toast.close();
  };
}

function contextOf(session) {
  const userId = session.user.id;
  const deviceId = sessions.deviceId(storage, userId);
  const api = new Api({ token: session.token, deviceId });
  const queue = new Queue({ storage, userId, deviceId });
  const book = new Book({ queue, storage, userId, deviceId });
  const live = new Live({ token: session.token, deviceId, timeZone: deviceZone() });
  const settings = new Settings({ api, storage, live, userId });
  // A machine without any network may still have its own server.
  const reachable = () => navigator.onLine || live.connected;
  const sync = new Sync({ api, queue, book, reachable, lock: tabLock(userId) });
  const home = () => settings.currency;
  const sums = () => totals(book.rows(), { home: home() });
  const currency = () => sums().sort((a, b) => b.rows - a.rows)[0]?.currency ?? '';
  // The server's sums are in the account's currency, which is named where an entry names it.
  const sumCurrency = () => sums().find((s) => s.isHome)?.currency ?? (sums().length > 0 ? home() : '');
  const context = {
    session, storage, deviceId, api, queue, book, sync, live, settings, currency, sumCurrency,
    balance: new Balance({ book, queue, home }), budgets: new Budgets(api), dashboard: new Dashboard({ live }),
    devices: new Devices({ api, live }), invitations: new Invitations({ api, live }), room: new Room({ api, live }), notices: new Notices(api), views: new Views(), toast: new Toast(), editor: new Editor(currency),
  };
  context.actions = actionsOf(context);
  context.leave = () => leave(context);
  context.removeAccount = (password) => removeAccount(context, password);
  // What is kept of a session that has ended, in this tab or another, stays away.
  context.remember = () => context.closed || sessions.load(storage)?.token !== session.token || book.remember();
  return context;
}

// One tab sends at a time, where the browser can arrange it; elsewhere two may,
// and the server takes every operation once.
function tabLock(userId) {
  return navigator.locks ? (work) => navigator.locks.request(`expenseflow.${userId}`, work) : undefined;
}

function frame(mounted, { toast, editor, views: shown }) {
  const parts = (place) => mounted.map((panel) => panel[place]).filter(Boolean);
  return [
    h('header', { class: 'top' },
      h('h1', { class: 'brand' }, icon('mark'), h('span', {}, 'ExpenseFlow')), parts('header')),
    ...parts('banner'),
    h('main', { class: 'ledger', id: 'main', tabIndex: -1 },
      h('div', { class: 'side' }, parts('aside')),
      h('div', { class: 'middle' }, parts('main'), parts('nav'), views.map(([view]) => viewOf(view, parts(view), shown)))),
    ...parts('floating'), ...parts('overlay'), editor.element, toast.element,
  ];
}

function viewOf(view, parts, shown) {
  const element = h('div', { class: 'view' }, parts);
  const render = () => { element.hidden = shown.current !== view; };
  shown.addEventListener('change', render);
  render();
  return element;
}

/** Ties the parts together; what it gives unties those that outlive a session. */
function hear(context) {
  const { live, sync, queue, book } = context;
  hearExpenses(context);
  hearMoney(context);
  live.listen('sync_error', () => sync.refreshParked());
  live.addEventListener('fresh', () => (sync.refresh(), context.budgets.refresh()));
  live.addEventListener('state', () => live.connected && sync.kick());
  [live, sync].forEach((part) => part.addEventListener('ended', () => ended(context)));
  sync.addEventListener('settled', ({ outcomes }) => tellRefused(context, outcomes));
  book.addEventListener('change', soon(context.remember, rememberPause));
  const recount = () => (book.recount(), context.dashboard.refresh(), context.budgets.refresh());
  context.settings.addEventListener('change', recount);
  const unfollow = onNewDay(recount);
  const unlisten = listenToBrowser({
    online: () => (live.wake(), sync.kick()),
    visibilitychange: () => document.visibilityState === 'visible' && (live.wake(), sync.kick(), context.budgets.refresh()),
    hashchange: () => context.views.follow(),
    pagehide: context.remember,
    beforeunload: (event) => !storage.durable && queue.all().length > 0 && event.preventDefault(),
    storage: ({ key }) => (key === null || sessions.owns(key) ? start() : queue.owns(key) && queue.touched()),
  });
  return () => (unfollow(), unlisten());
}

// A server may speak one spelling or both; a change that comes twice is taken in once.
function hearExpenses(context) {
  const on = (kind, pick) => [`expense_${kind}`, `expense:${kind}`].forEach((event) => context.live.listen(event, (payload) => {
    context.book.note({ kind, deviceId: payload.deviceId, ...pick(payload) });
    context.budgets.refreshSoon();
  }));
  on('created', (e) => ({ id: e._id, expense: e }));
  on('updated', (e) => ({ id: e._id, expense: e }));
  on('deleted', ({ id }) => ({ id }));
  context.live.listen('expense:shared', ({ expenseId, sharedWith }) => {
    context.book.note({ kind: 'shared', id: expenseId, expense: { shared: sharedWith.length } });
  });
}

function hearMoney(context) {
  const on = (event, hear) => context.live.listen(event, hear);
  on('account:balance', (payload) => context.balance.tell(payload));
  ['created', 'updated', 'deleted'].forEach((kind) => on(`budget:${kind}`, () => context.budgets.refreshSoon()));
  on('notification', (payload) => context.notices.note(payload));
  on('notification_count', (payload) => context.notices.tell(payload));
}

function listenToBrowser(handlers) {
  Object.entries(handlers).forEach(([event, handle]) => window.addEventListener(event, handle));
  return () => Object.entries(handlers).forEach(([event, handle]) => window.removeEventListener(event, handle));
}

function tellRefused({ toast }, outcomes) {
  const refused = outcomes.filter((o) => !o.ok || (o.status === 'not_found' && o.op.action === 'UPDATE'));
  if (refused.length > 0) {
    toast.point(`${count(refused.length, 'change was', 'changes were')} not accepted.`, 'Show', () => document.querySelector('#parked-title')?.focus());
  }
}

// The server ended the session. What was read is forgotten, what waits in the queue
// stays for the next one.
// An answer that arrives after the session was left must not end the next.
function ended({ session, closed }) {
  if (closed) {
    return;
  }
  forgetRows(storage, session.user.id);
  sessions.close(storage);
  const kept = waiting(storage, session.user.id);
  start(`Your session has ended. Sign in again to go on${kept > 0 ? `; ${count(kept, 'change is', 'changes are')} kept here.` : '.'}`, session.user.email);
}

function leave({ session }) {
  forgetRows(storage, session.user.id);
  sessions.leave(storage, session.token);
  sessions.close(storage);
  start(); // which tells the server, now or when there is one again
}

// Nothing of an account that is gone stays here, not even what waits.
async function removeAccount({ api, session }, password) {
  await api.deleteAccount(password);
  sessions.close(storage);
  start('Your account has been deleted.');
  sessions.forgetAccount(storage, session.user.id);
}

function tellEndings() {
  sessions.tellEndings(storage, (token) => new Api({ token }).logout(), (err) => err instanceof Unauthorized);
}

window.addEventListener('online', tellEndings);

start();
navigator.serviceWorker?.register('/sw.js').catch(() => {}); // only a start without a server needs it
