import { expenseActions } from './expenseactions.js';
import { Api } from './api.js';
import { Balance } from './balance.js';
import { base, keptName } from './base.js';
import { Book } from './book.js';
import { BookCheck } from './bookcheck.js';
import { bookCurrencies } from './bookcurrency.js';
import { BookStore } from './bookstore.js';
import { Budgets } from './budgets.js';
import { kept, removeCachesOfOthers } from './caches.js';
import { Dashboard } from './dashboard.js';
import { deviceZone, onNewDay } from './days.js';
import { Devices } from './devices.js';
import { ExpenseList } from './expenselist.js';
import { dismissTop } from './drawer.js';
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
import * as exporting from './panels/exporting.js';
import * as history from './panels/history.js';
import * as importing from './panels/importing.js';
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
import { Parked } from './parked.js';
import { Queue } from './queue.js';
import { ExpenseRoom } from './expenseroom.js';
import { Renewal } from './renewal.js';
import { listenToServer } from './serverevents.js';
import * as sessions from './session.js';
import { SessionEnd } from './sessionend.js';
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
  balance, connectionStatus, notifications, invitations, account, importing, exporting, diagnostics, shortcutHelp, signOutButton, serviceStatus, summary, newEntry,
  parkedChanges, viewTabs, people, entryDetails, history, expenseListPanel, overview, budgets,
];

const storage = browserStorage();
const root = document.querySelector('#app');
const end = new SessionEnd({ storage, start });
let close = () => {};

/** Shows the expenses if there is a session, else the sign-in form. */
function start(notice = '', email = '') {
  close();
  const session = sessions.load(storage);
  removeCachesOfOthers(storage, session?.user.id);
  end.revokeSignedOut();
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
  new Api().options().then((options) => form.follow(options), () => {}); // not reached: the form stays
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
  book.open(); // while the panels are made
  const expenseList = new ExpenseList({ queue, deviceId, book });
  const live = new LiveConnection({ token: session.token, deviceId, timeZone: deviceZone() });
  const settings = new Settings({ api, storage, live, userId, name: session.user.name });
  const renewal = new Renewal({ api, live, storage, session, lock: tabLock(`${userId}.token`) });
  // A machine without a network may still run the server itself.
  const reachable = () => navigator.onLine || live.connected;
  const parked = new Parked(api);
  const sync = new Sync({ api, queue, expenseList, parked, reachable, lock: tabLock(userId) });
  const home = () => settings.currency;
  let known; // currencies, asked for once
  const currencies = () => (known ??= api.currencies().catch((err) => { known = undefined; throw err; }));
  const keep = (name) => kept(storage, userId, name, () => !context.closed);
  const { currency, sumCurrency } = bookCurrencies(expenseList, home);
  const context = {
    session, storage, deviceId, api, queue, book, expenseList, parked, sync, live, settings, renewal, currency, sumCurrency, currencies,
    balance: new Balance({ expenseList, live, home, keep: keep('balance') }),
    budgets: new Budgets({ api, expenseList, home, keep: keep('budgets') }), dashboard: new Dashboard({ live, queue, expenseList, home }),
    devices: new Devices({ api, live, deviceId, keepToken: (work) => renewal.replace(work) }), invitations: new Invitations({ api, live }), room: new ExpenseRoom({ api, live }), notifications: new Notifications(api), navigation: new Navigation(), toast: new Toast(), editor: new Editor({ currency, currencies, rows: () => expenseList.rows() }),
  };
  context.actions = expenseActions(context);
  context.bookCheck = new BookCheck(context);
  context.signOut = () => end.signOut(context);
  context.changePassword = (current, next) => renewal.replace(() => api.changePassword(current, next));
  context.signOutEverywhere = () => end.signOutEverywhere(context);
  context.removeAccount = (password) => end.removeAccount(context, password);
  return context;
}

// A lock lets one tab send at a time. Browsers without locks may send from two
// tabs, which is safe: the server applies every operation once, and gives each a token.
function tabLock(name) {
  return navigator.locks ? (work) => navigator.locks.request(keptName(`expenseflow.${name}`), work) : undefined;
}

/** Connects server events, queue and panels. Returns a function that removes the listeners which outlive a session. */
function connectParts(context) {
  const { live, sync, queue, expenseList } = context;
  listenToServer(context);
  ['sync_error', 'sync_settled'].forEach((event) => live.listen(event, () => sync.refreshParked()));
  live.addEventListener('resync', () => (sync.refresh(), context.budgets.refresh()));
  live.addEventListener('state', () => live.connected && sync.run());
  [live, sync].forEach((part) => part.addEventListener('ended', () => end.ended(context)));
  sync.addEventListener('answered', ({ outcomes }) => showNotAccepted(context, outcomes));
  const refreshTotals = () => (expenseList.invalidate(), context.dashboard.refresh(), context.budgets.refresh());
  context.settings.addEventListener('change', refreshTotals);
  const unfollow = onNewDay(refreshTotals);
  const unlisten = listenToBrowser({
    online: () => (live.reconnectNow(), sync.run()),
    visibilitychange: () => document.visibilityState === 'visible' && (live.reconnectNow(), context.parked.total > 0 ? sync.refreshParked() : sync.run(), context.budgets.refresh()),
    keydown: (event) => pressShortcut(context, event),
    hashchange: () => context.navigation.addressChanged(dismissTop), // Back closes a dialog first
    beforeunload: (event) => ((!storage.durable && queue.all().length > 0) || hasTypedInDialog()) && event.preventDefault(),
    storage: ({ key }) => changedElsewhere(context, key === null ? null : storage.keyOf(key)),
  });
  return () => (unfollow(), unlisten());
}

// key is null if everything was removed.
function changedElsewhere(context, key) {
  if (key === null || sessions.owns(key)) {
    end.changedElsewhere(context);
  } else if (context.queue.owns(key)) {
    context.queue.changedElsewhere();
  }
}

function listenToBrowser(handlers) {
  Object.entries(handlers).forEach(([event, handle]) => window.addEventListener(event, handle));
  return () => Object.entries(handlers).forEach(([event, handle]) => window.removeEventListener(event, handle));
}

function showNotAccepted({ toast }, outcomes) {
  const refused = outcomes.filter((o) => !o.ok || (o.status === 'not_found' && o.op.action === 'UPDATE'));
  if (refused.length > 0) {
    toast.showFailure(text('frame.notaccepted', { count: refused.length }), text('frame.show'), () => document.querySelector('#parked-title')?.focus());
  }
}

window.addEventListener('online', () => end.revokeSignedOut());

applyLanguage();
start();
navigator.serviceWorker?.register(`${base}sw.js`).catch(() => {}); // only a start without a server needs it
