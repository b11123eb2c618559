/**
 * The service worker: caches the page's own files, so that the page opens without
 * a server. It caches nothing that belongs to a user: API and live connection pass
 * untouched, and caches that an earlier page of this origin left behind, lists of
 * expenses among them, are deleted.
 *
 * It is in the folder of the page, and touches nothing outside of that: another page
 * of the origin may be of another installation, and so may its cache.
 *
 * Network first: a cached file is used only if the server does not answer in time.
 */
const folder = new URL('.', self.location.href).pathname;
const pageCache = 'expenseflow-page';
const cacheName = folder === '/' ? pageCache : folder + pageCache;

/** Milliseconds to wait for the server before the cached file is used. */
const serverTimeout = 4_000;

const cachedFiles = [
  './',
  'style.css',
  'dark.css',
  'theme.js',
  'icons.svg',
  'favicon.svg',
  'manifest.json',
  'socket.io/socket.io.js',
  'js/address.js',
  'js/api.js',
  'js/app.js',
  'js/balance.js',
  'js/base.js',
  'js/book.js',
  'js/bookcheck.js',
  'js/bookcurrency.js',
  'js/bookdashboard.js',
  'js/bookstore.js',
  'js/budgets.js',
  'js/budgetstate.js',
  'js/caches.js',
  'js/categories.js',
  'js/charts.js',
  'js/comparison.js',
  'js/completion.js',
  'js/conflict.js',
  'js/dashboard.js',
  'js/days.js',
  'js/daysums.js',
  'js/deeds.js',
  'js/devicenames.js',
  'js/devices.js',
  'js/dom.js',
  'js/drawer.js',
  'js/elementpool.js',
  'js/eventlog.js',
  'js/expenseactions.js',
  'js/expenselist.js',
  'js/expenseroom.js',
  'js/fetchjson.js',
  'js/filter.js',
  'js/format.js',
  'js/frame.js',
  'js/history.js',
  'js/httpclient.js',
  'js/invitations.js',
  'js/language.js',
  'js/listgroups.js',
  'js/listlayout.js',
  'js/liveconnection.js',
  'js/menu.js',
  'js/merge.js',
  'js/months.js',
  'js/navigation.js',
  'js/notifications.js',
  'js/numbers.js',
  'js/panels/account.js',
  'js/panels/accountend.js',
  'js/panels/accountforms.js',
  'js/panels/amount.js',
  'js/panels/balance.js',
  'js/panels/budgetform.js',
  'js/panels/budgets.js',
  'js/panels/categorychart.js',
  'js/panels/chartcard.js',
  'js/panels/combobox.js',
  'js/panels/conflict.js',
  'js/panels/connectionstatus.js',
  'js/panels/daysection.js',
  'js/panels/devices.js',
  'js/panels/diagnostics.js',
  'js/panels/editor.js',
  'js/panels/entrydetails.js',
  'js/panels/expenseform.js',
  'js/panels/expenselist.js',
  'js/panels/expenserow.js',
  'js/panels/expensevalues.js',
  'js/panels/fields.js',
  'js/panels/fieldvalues.js',
  'js/panels/filterform.js',
  'js/panels/finder.js',
  'js/panels/findlink.js',
  'js/panels/flowchart.js',
  'js/panels/found.js',
  'js/panels/history.js',
  'js/panels/invitations.js',
  'js/panels/monthwalk.js',
  'js/panels/newentry.js',
  'js/panels/notifications.js',
  'js/panels/overview.js',
  'js/panels/parkedchanges.js',
  'js/panels/parkeditem.js',
  'js/panels/people.js',
  'js/panels/savedform.js',
  'js/panels/servicestatus.js',
  'js/panels/shortcuthelp.js',
  'js/panels/signin.js',
  'js/panels/signout.js',
  'js/panels/summary.js',
  'js/panels/viewtabs.js',
  'js/panels/virtuallist.js',
  'js/parked.js',
  'js/permissions.js',
  'js/question.js',
  'js/queue.js',
  'js/renewal.js',
  'js/searchtext.js',
  'js/serverevents.js',
  'js/session.js',
  'js/sessionend.js',
  'js/settings.js',
  'js/sharing.js',
  'js/shortcuts.js',
  'js/sortedrows.js',
  'js/storage.js',
  'js/sync.js',
  'js/tags.js',
  'js/text.js',
  'js/theme.js',
  'js/toast.js',
  'js/totals.js',
  'js/typedtext.js',
  'js/words/en.js',
  'js/words/en/account.js',
  'js/words/en/amount.js',
  'js/words/en/budgets.js',
  'js/words/en/categories.js',
  'js/words/en/charts.js',
  'js/words/en/days.js',
  'js/words/en/devices.js',
  'js/words/en/diagnostics.js',
  'js/words/en/entries.js',
  'js/words/en/errors.js',
  'js/words/en/figures.js',
  'js/words/en/find.js',
  'js/words/en/form.js',
  'js/words/en/frame.js',
  'js/words/en/history.js',
  'js/words/en/invitations.js',
  'js/words/en/notifications.js',
  'js/words/en/parked.js',
  'js/words/en/people.js',
  'js/words/en/shortcuts.js',
  'js/words/en/signin.js',
  'js/words/en/signout.js',
  'js/words/en/status.js',
  'js/words/en/toast.js',
];

/** Other names of cached files. */
const aliases = { '': './', 'index.html': './', 'expensetracker.html': './' };

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(cacheName).then((cache) => cache.addAll(cachedFiles)).then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(deleteOtherCaches().then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
  const name = cachedName(event.request);
  if (name) {
    event.respondWith(networkFirst(event.request, name));
  }
});

function cachedName({ method, url }) {
  const { origin, pathname, search } = new URL(url);
  if (method !== 'GET' || origin !== self.location.origin || search !== '' || !pathname.startsWith(folder)) {
    return null;
  }
  const inFolder = pathname.slice(folder.length);
  const name = aliases[inFolder] ?? inFolder;
  return cachedFiles.includes(name) ? name : null;
}

async function networkFirst(request, name) {
  const cache = await caches.open(cacheName);
  const answer = fetch(request).then((response) => keep(cache, name, response));
  const first = await Promise.race([answer.catch(() => null), after(serverTimeout)]);
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

// Earlier pages were at the root of their origin.
async function deleteOtherCaches() {
  const names = folder === '/' ? await caches.keys() : [];
  await Promise.all(names.filter((name) => !name.endsWith(pageCache)).map((name) => caches.delete(name)));
}
