import { expenseActions } from './expenseactions.js';
import { Api, Unauthorized } from './api.js';
import { Balance } from './balance.js';
import { Book } from './book.js';
import { BookCheck } from './bookcheck.js';
import { bookCurrencies } from './bookcurrency.js';
import { BookStore } from './bookstore.js';
import { Budgets } from './budgets.js';
import { kept, removeCaches, removeCachesOfOthers } from './caches.js';
import { Dashboard } from './dashboard.js';
import { deviceZone, onNewDay } from './days.js';
import { Devices } from './devices.js';
import { ExpenseList } from './expenselist.js';
import { frame } from './frame.js';
import { Invitations } from './invitations.js';
import { LiveConnection } from './liveconnection.js';
import { Notifications } from './notifications.js';
import * as signOutButton from './panels/signout.js';
import * as balance from './panels/balance.js';
import * as budgets from './panels/budgets.js';
import * as account from './panels/account.js';
import * as diagnostics from './panels/diagnostics.js';
import { Editor } from './panels/editor.js';
import * as entryDetails from './panels/entrydetails.js';
import * as newEntry from './panels/newentry.js';
import * as invitations from './panels/invitations.js';
import * as expenseListPanel from './panels/expenselist.js';
import * as notifications from './panels/notifications.js';
import * as overview from './panels/overview.js';
import * as parkedChanges from './panels/parkedchanges.js';
import * as people from './panels/people.js';
import { signIn } from './panels/signin.js';
import * as connectionStatus from './panels/connectionstatus.js';
import * as shortcutHelp from './panels/shortcuthelp.js';
import * as summary from './panels/summary.js';
import * as serviceStatus from './panels/servicestatus.js';
import * as viewTabs from './panels/viewtabs.js';
import { Queue, pendingCount } from './queue.js';
import { ExpenseRoom } from './expenseroom.js';
import { Renewal } from './renewal.js';
import { listenToServer } from './serverevents.js';
import * as sessions from './session.js';
import { Settings } from './settings.js';
import { pressShortcut } from './shortcuts.js';
import { browserStorage } from './storage.js';
import { Sync } from './sync.js';
import { applyLanguage, text } from './text.js';
import { Toast } from './toast.js';
import { hasTypedInDialog } from './typedtext.js';
import { Navigation } from './navigation.js';

/**
 * The panels of the page, in reading order. A panel is a module whose mount
 * takes the context that openLedger makes and gives the elements it wants
 * shown: `figure` and `header`, `menu` (buttons of the header's menu), `banner`,
 * `aside`, `main`, `nav`, those of one view under its name (navigation.js),
 * `floating`, `overlay`; and, if it has any, a `render` that brings them up to
 * date. A new panel is a line here, in index.html and in sw.js.
 */
const panels = [
  balance, connectionStatus, notifications, invitations, account, diagnostics, shortcutHelp, signOutButton, serviceStatus, summary, newEntry,
  parkedChanges, viewTabs, people, entryDetails, expenseListPanel, overview, budgets,
];

const storage = browserStorage();
const root = document.querySelector('#app');
let close = () => {};

/** Shows the expenses if there is a session, else the sign-in form. */
function start(notice = '', email = '') {
  close();
  const session = sessions.load(storage);
  removeCachesOfOthers(storage, session?.user.id);
  revokeSignedOut();
  close = session ? openLedger(session) : openSignIn(notice, email);
}

function openSignIn(notice, email) {
  const form = signIn({
    api: new Api(), notice, email,
    entered: (answer) => {
      sessions.open(storage, answer);
      start();
      document.querySelector('.view:not([hidden]) h2')?.focus();
    },
  });
  root.replaceChildren(form.element);
  form.focus();
  new Api().options().then(({ registration }) => registration || form.closeRegistration(), () => {}); // not reached: the form stays
  return () => {};
}

function openLedger(session) {
  const context = contextOf(session);
  const mounted = panels.map((panel) => panel.mount(context));
  const page = frame(mounted, context);
  root.replaceChildren(...page.elements);
  document.title = 'ExpenseFlow';
  const disconnect = connectParts(context);
  mounted.forEach((panel) => panel.render?.());
  context.live.start();
  context.settings.refresh();
  context.expenseList.open().then(() => context.sync.refresh());
  context.budgets.refresh();
  return () => {
    context.closed = true;
    context.book.close();
    context.bookCheck.stop();
    context.settings.stop();
    context.renewal.stop();
    disconnect();
    page.stop();
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
  const book = new Book({ store: new BookStore({ userId }) });
  const expenseList = new ExpenseList({ queue, deviceId, book });
  const live = new LiveConnection({ token: session.token, deviceId, timeZone: deviceZone() });
  const settings = new Settings({ api, storage, live, userId });
  const renewal = new Renewal({ api, live, storage, session, lock: tabLock(`${userId}.token`) });
  // A machine without a network may still run the server itself.
  const reachable = () => navigator.onLine || live.connected;
  const sync = new Sync({ api, queue, expenseList, reachable, lock: tabLock(userId) });
  const home = () => settings.currency;
  const keep = (name) => kept(storage, userId, name, () => !context.closed);
  const { currency, sumCurrency } = bookCurrencies(expenseList, home);
  const context = {
    session, storage, deviceId, api, queue, book, expenseList, sync, live, settings, renewal, currency, sumCurrency,
    balance: new Balance({ expenseList, live, home, keep: keep('balance') }),
    budgets: new Budgets({ api, expenseList, home, keep: keep('budgets') }), dashboard: new Dashboard({ live, queue, expenseList, home }),
    devices: new Devices({ api, live }), invitations: new Invitations({ api, live }), room: new ExpenseRoom({ api, live }), notifications: new Notifications(api), navigation: new Navigation(), toast: new Toast(), editor: new Editor({ currency, rows: () => expenseList.rows() }),
  };
  context.actions = expenseActions(context);
  context.bookCheck = new BookCheck(context);
  context.signOut = () => signOut(context);
  context.removeAccount = (password) => removeAccount(context, password);
  return context;
}

// A lock lets one tab send at a time. Browsers without locks may send from two
// tabs, which is safe: the server applies every operation once, and gives each a token.
function tabLock(name) {
  return navigator.locks ? (work) => navigator.locks.request(`expenseflow.${name}`, work) : undefined;
}

/** Connects server events, queue and panels. Returns a function that removes the listeners which outlive a session. */
function connectParts(context) {
  const { live, sync, queue, expenseList } = context;
  listenToServer(context);
  live.listen('sync_error', () => sync.refreshParked());
  live.addEventListener('resync', () => (sync.refresh(), context.budgets.refresh()));
  live.addEventListener('state', () => live.connected && sync.run());
  [live, sync].forEach((part) => part.addEventListener('ended', () => ended(context)));
  sync.addEventListener('answered', ({ outcomes }) => showNotAccepted(context, outcomes));
  const refreshTotals = () => (expenseList.invalidate(), context.dashboard.refresh(), context.budgets.refresh());
  context.settings.addEventListener('change', refreshTotals);
  const unfollow = onNewDay(refreshTotals);
  const unlisten = listenToBrowser({
    online: () => (live.reconnectNow(), sync.run()),
    visibilitychange: () => document.visibilityState === 'visible' && (live.reconnectNow(), sync.run(), context.budgets.refresh()),
    keydown: (event) => pressShortcut(context, event),
    hashchange: () => context.navigation.addressChanged(),
    beforeunload: (event) => ((!storage.durable && queue.all().length > 0) || hasTypedInDialog()) && event.preventDefault(),
    storage: ({ key }) => (key === null || sessions.owns(key) ? sessionChanged(context) : queue.owns(key) && queue.changedElsewhere()),
  });
  return () => (unfollow(), unlisten());
}

function listenToBrowser(handlers) {
  Object.entries(handlers).forEach(([event, handle]) => window.addEventListener(event, handle));
  return () => Object.entries(handlers).forEach(([event, handle]) => window.removeEventListener(event, handle));
}

function showNotAccepted({ toast }, outcomes) {
  const refused = outcomes.filter((o) => !o.ok || (o.status === 'not_found' && o.op.action === 'UPDATE'));
  if (refused.length > 0) {
    toast.showWithLink(text('frame.notaccepted', { count: refused.length }), text('frame.show'), () => document.querySelector('#parked-title')?.focus());
  }
}

// Another tab has signed in or out, or has renewed the token of this session.
function sessionChanged({ session, renewal }) {
  const token = sessions.renewedElsewhere(storage, session);
  token ? renewal.use(token) : start();
}

// The server ended the session: the book is removed, queued changes stay for
// the next sign-in. An answer that arrives after signing out must not end the next
// session.
function ended({ session, closed }) {
  if (closed) {
    return;
  }
  if (sessions.renewedElsewhere(storage, session)) {
    start(); // this tab slept while another one renewed the token
    return;
  }
  removeCaches(storage, session.user.id);
  sessions.close(storage);
  const kept = pendingCount(storage, session.user.id);
  start(kept > 0 ? text('frame.endedkept', { count: kept }) : text('frame.ended'), session.user.email);
}

function signOut({ session }) {
  removeCaches(storage, session.user.id);
  sessions.rememberSignedOut(storage, session.token);
  sessions.close(storage);
  start(); // revokes the token at the server, now or when it can be reached
}

// Nothing of a deleted account stays in the browser, not even queued changes.
async function removeAccount({ api, session }, password) {
  await api.deleteAccount(password);
  sessions.close(storage);
  start(text('frame.accountdeleted'));
  sessions.forgetAccount(storage, session.user.id);
}

function revokeSignedOut() {
  sessions.revokeSignedOut(storage, (token) => new Api({ token }).logout(), (err) => err instanceof Unauthorized);
}

window.addEventListener('online', revokeSignedOut);
applyLanguage();
start();
navigator.serviceWorker?.register('/sw.js').catch(() => {}); // only a start without a server needs it
