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
  'favicon.svg',
  'manifest.json',
  'socket.io/socket.io.js',
  'js/app.js',
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
