/**
 * Keeps the page itself, so that it opens without a server. It keeps nothing
 * that belongs to a person: neither the API nor the live connection is ever
 * touched here, and caches that an earlier page of this origin left behind,
 * lists of expenses among them, are removed.
 *
 * The server's files win whenever it answers; the kept ones are for when it
 * does not.
 */
const cacheName = 'expenseflow-page';

/** Milliseconds that a server may take before the kept file is used. */
const patience = 4_000;

const kept = [
  '/',
  '/style.css',
  '/icons.svg',
  '/favicon.svg',
  '/manifest.json',
  '/socket.io/socket.io.js',
  '/js/actions.js',
  '/js/api.js',
  '/js/app.js',
  '/js/balance.js',
  '/js/book.js',
  '/js/budgets.js',
  '/js/categories.js',
  '/js/charts.js',
  '/js/dashboard.js',
  '/js/days.js',
  '/js/devices.js',
  '/js/dom.js',
  '/js/format.js',
  '/js/invitations.js',
  '/js/live.js',
  '/js/notices.js',
  '/js/numbers.js',
  '/js/panels/account.js',
  '/js/panels/amount.js',
  '/js/panels/balance.js',
  '/js/panels/budgetform.js',
  '/js/panels/budgets.js',
  '/js/panels/categorychart.js',
  '/js/panels/devices.js',
  '/js/panels/editor.js',
  '/js/panels/entry.js',
  '/js/panels/expenseform.js',
  '/js/panels/fields.js',
  '/js/panels/figure.js',
  '/js/panels/flowchart.js',
  '/js/panels/invitations.js',
  '/js/panels/list.js',
  '/js/panels/notices.js',
  '/js/panels/overview.js',
  '/js/panels/parked.js',
  '/js/panels/people.js',
  '/js/panels/signin.js',
  '/js/panels/status.js',
  '/js/panels/summary.js',
  '/js/panels/system.js',
  '/js/panels/views.js',
  '/js/queue.js',
  '/js/rights.js',
  '/js/room.js',
  '/js/session.js',
  '/js/settings.js',
  '/js/storage.js',
  '/js/sync.js',
  '/js/toast.js',
  '/js/totals.js',
  '/js/views.js',
];

/** Other names of kept files. */
const aliases = { '/index.html': '/', '/expensetracker.html': '/' };

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(cacheName).then((cache) => cache.addAll(kept)).then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(removeOthers().then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
  const name = keptName(event.request);
  if (name) {
    event.respondWith(serverFirst(event.request, name));
  }
});

function keptName({ method, url }) {
  const { origin, pathname, search } = new URL(url);
  const name = aliases[pathname] ?? pathname;
  return method === 'GET' && origin === self.location.origin && search === '' && kept.includes(name) ? name : null;
}

async function serverFirst(request, name) {
  const cache = await caches.open(cacheName);
  const answer = fetch(request).then((response) => keep(cache, name, response));
  const first = await Promise.race([answer.catch(() => null), after(patience)]);
  return first ?? await cache.match(name) ?? answer;
}

function keep(cache, name, response) {
  if (!response.ok) {
    throw new Error(`status ${response.status}`);
  }
  cache.put(name, response.clone()).catch(() => {}); // a full disk does not matter here
  return response;
}

function after(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms, null));
}

async function removeOthers() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== cacheName).map((name) => caches.delete(name)));
}
