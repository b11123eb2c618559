'use strict';

// Drives a headless Chromium for the tests of internal/e2e.
//
// Reads one JSON command a line on stdin, {id, do, device, ...}, and answers
// each with {id, result} or {id, error}. A device is a window: a page in a
// browser profile (profile; its own unless one is named). Elements are found as
// a person finds them, by label, role and text. Every wait says what it waited
// for and what was there instead. The process ends when stdin does.

const fs = require('node:fs');
const readline = require('node:readline');
const { setTimeout: pause } = require('node:timers/promises');
const { chromium } = require('playwright-core');

const patience = 45_000; // less than the test's own, so that the reason is told

const profiles = new Map();
const windows = new Map();
let browser;

async function launch({ executable }) {
  // Root needs --no-sandbox, a container's /dev/shm is small, and no page here needs other machines.
  const here = 'MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1';
  browser = await chromium.launch({
    executablePath: executable, args: ['--no-sandbox', '--disable-dev-shm-usage', `--host-resolver-rules=${here}`],
  });
}

async function open({ device, url, profile = device, options = {}, now }) {
  if (!profiles.has(profile)) {
    profiles.set(profile, await browser.newContext({ locale: 'en-GB', ...options }));
  }
  const page = await profiles.get(profile).newPage();
  if (now) await page.clock.setFixedTime(now);
  const faults = [];
  page.setDefaultTimeout(patience);
  page.on('pageerror', (err) => faults.push(String(err.stack)));
  page.on('console', (message) => isFault(message) && faults.push(message.text()));
  windows.set(device, { page, profile, faults, asked: listenForRequests(page) });
  await page.goto(url);
}

// frame makes a window of a frame in another one, by its place there from 1.
function frame({ device, of, place: n }) {
  const { page, ...rest } = windows.get(of);
  windows.set(device, { ...rest, page: page.frames()[n] });
}

async function goto({ device, url }) {
  await windows.get(device).page.goto(url);
}

// protocols gives the versions of HTTP by which the page asked the API.
function protocols({ device }) {
  return windows.get(device).page.evaluate(() => {
    const api = performance.getEntriesByType('resource').filter((entry) => entry.name.includes('/api/'));
    return [...new Set(api.map((entry) => entry.nextHopProtocol))];
  });
}

// listenForRequests gives a list that grows with what the page asks of /api.
function listenForRequests(page) {
  const asked = [];
  page.on('request', (request) => {
    const { pathname, search } = new URL(request.url());
    if (pathname.startsWith('/api/')) asked.push({ request, text: `${request.method()} ${pathname}${search}` });
  });
  return asked;
}

// requests gives what was asked since it was called last, with the answers' status.
async function requests({ device }) {
  const { asked } = windows.get(device);
  return Promise.all(asked.splice(0).map(async ({ request, text }) => `${text} ${(await request.response())?.status()}`));
}

// A request that finds no server, or is refused, is not the page's fault; nor is a goodbye
// to a server that has closed the connection already.
const network = /Failed to load resource|WebSocket connection to|WebSocket is already in CLOSING|fetching the script|registration blocked by Playwright/;

function isFault(message) {
  return ['error', 'warning'].includes(message.type()) && !network.test(message.text());
}

// faults gives what the page did wrong: exceptions, and breaches of its policy.
function faults({ device }) {
  return windows.get(device).faults;
}

async function close({ device }) {
  const { page, profile } = windows.get(device);
  await page.close();
  windows.delete(device);
  if (![...windows.values()].some((w) => w.profile === profile)) {
    await profiles.get(profile).close();
    profiles.delete(profile);
  }
}

// place is the dialog while one is open, else the page.
async function place({ device }) {
  const { page } = windows.get(device);
  const dialog = page.getByRole('dialog');
  return await dialog.count() > 0 ? dialog : page;
}

async function fill(command) {
  await (await place(command)).getByLabel(command.label, { exact: true }).filter({ visible: true }).fill(command.value);
}

async function choose(command) {
  await (await place(command)).getByLabel(command.label, { exact: true }).filter({ visible: true }).selectOption({ label: command.value });
}

// upload chooses a file for the control of this label.
async function upload(command) {
  const file = { name: command.name, mimeType: 'text/csv', buffer: Buffer.from(command.value) };
  await (await place(command)).getByLabel(command.label, { exact: true }).setInputFiles(file);
}

// download presses a button of this name and gives the file that it saves: {name, content}.
async function download(command) {
  const [saved] = await Promise.all([windows.get(command.device).page.waitForEvent('download'), press(command)]);
  return { name: saved.suggestedFilename(), content: fs.readFileSync(await saved.path(), 'utf8') };
}

// What is in the page's menu is pressed through the menu.
async function press(command) {
  const where = await place(command);
  await where.getByRole('button', { name: command.name, exact: true, includeHidden: true }).first().waitFor({ state: 'attached' });
  if (await inMenu(where, command.name).count() > 0) {
    await where.locator('[popovertarget="menu"]').click();
  }
  const tool = where.locator('.row button:not([hidden])').and(where.getByRole('button', { name: command.name, exact: true, includeHidden: true })).first();
  if (await tool.count() > 0 && !(await tool.isVisible())) {
    await pressInEntry(where, tool);
  } else {
    await where.getByRole('button', { name: command.name, exact: true }).first().click();
  }
}

// pressInEntry presses what a narrow window has in the entry that a press on its row opens.
async function pressInEntry(where, tool) {
  const picture = await tool.getAttribute('data-picture');
  await tool.locator('xpath=..').locator('button:not([hidden])').first().click();
  await where.locator(`dialog[open] button[data-picture="${picture}"]`).click();
}

// inMenu finds what the page's menu offers while it is closed.
function inMenu(where, name) {
  return where.locator('#menu:not(:popover-open) > button:not([hidden])').and(where.getByRole('button', { name, exact: true, includeHidden: true }));
}

// pressBeside presses the last button of the row of a table that has a text; without a name,
// buttons of pages that nobody here wrote have only an icon.
async function pressBeside({ device, text }) {
  await windows.get(device).page.locator('tr', { hasText: text }).first().locator('button').last().click();
}

// go shows another part of a page that has them behind the # of its address.
async function go({ device, part }) {
  await windows.get(device).page.evaluate((hash) => { window.location.hash = hash; }, part);
}

// content gives everything that the page shows.
function content({ device }) {
  return windows.get(device).page.locator('body').innerText();
}

// follow takes a link, whose name may go on behind what is given.
async function follow({ device, name }) {
  await windows.get(device).page.getByRole('link', { name: new RegExp(`^${name}\\b`) }).click();
}

async function awaitButton({ device, name }) {
  const { page } = windows.get(device);
  await page.getByRole('button', { name, exact: true }).or(inMenu(page, name)).waitFor({ state: 'attached' }).catch(async () => {
    const names = await page.getByRole('button').evaluateAll((all) => all.map((b) => b.getAttribute('aria-label') ?? b.textContent));
    throw new Error(`no button ${JSON.stringify(name)} among ${JSON.stringify(names)}`);
  });
}

// reopen opens a dialog by a button, closes it and opens it again, faster than the
// browser tells of the closing.
async function reopen({ device, name }) {
  await windows.get(device).page.getByRole('button', { name, exact: true }).evaluate((button) => {
    button.click();
    document.querySelector('dialog[open]').close();
    button.click();
  });
}

async function key({ device, key: name }) {
  await windows.get(device).page.keyboard.press(name);
}

async function type({ device, text }) {
  await windows.get(device).page.keyboard.type(text);
}

// focused gives the name of what has the focus, as a screen reader says it.
function focused({ device }) {
  return windows.get(device).page.evaluate(() => {
    const { activeElement: e } = document;
    return e.getAttribute('aria-label') ?? e.labels?.[0]?.textContent ?? (e === document.body ? '' : e.textContent.trim());
  });
}

async function offline({ device, offline: away }) {
  await profiles.get(windows.get(device).profile).setOffline(away);
}

// settled waits until the page can be opened without a server.
async function installed({ device }) {
  await windows.get(device).page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
}

// workers gives the folders of the origin that have a service worker, and the names of its caches.
function workers({ device }) {
  return windows.get(device).page.evaluate(async () => {
    const registrations = await navigator.serviceWorker.getRegistrations();
    return [...registrations.map(({ scope }) => new URL(scope).pathname), ...await caches.keys()].sort();
  });
}

// stored gives everything that the page keeps in this browser, as one text.
function stored({ device }) {
  return windows.get(device).page.evaluate(async () => {
    const done = (request) => new Promise((resolve, reject) => { request.onsuccess = () => resolve(request.result); request.onerror = reject; });
    const databases = {};
    for (const { name, version } of await indexedDB.databases()) {
      const db = await done(indexedDB.open(name, version));
      for (const table of db.objectStoreNames) databases[`${name} ${table}`] = await done(db.transaction(table).objectStore(table).getAll());
      db.close();
    }
    return JSON.stringify({ ...localStorage, databases });
  });
}

// keptRows is how many rows of databases this browser keeps.
async function keptRows() {
  const done = (request) => new Promise((resolve, reject) => { request.onsuccess = () => resolve(request.result); request.onerror = reject; });
  let rows = 0;
  for (const { name, version } of await indexedDB.databases()) {
    const db = await done(indexedDB.open(name, version));
    const chunks = db.objectStoreNames.contains('chunks') ? await done(db.transaction('chunks').objectStore('chunks').getAll()) : [];
    rows += chunks.reduce((sum, text) => sum + JSON.parse(text).length, 0);
    db.close();
  }
  return rows;
}

function awaitKept({ device, want }) {
  return awaitSame(device, 'kept rows', keptRows, undefined, want);
}

// moveClock has the page's clock stand at another moment, and the page look at it as after a sleep.
async function moveClock({ device, now }) {
  const { page } = windows.get(device);
  await page.clock.setFixedTime(now);
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
}

async function reload({ device }) {
  await windows.get(device).page.reload();
}

async function back({ device }) {
  await windows.get(device).page.goBack();
}

// clickAt presses the mouse at a place of the window.
async function clickAt({ device, x, y }) {
  await windows.get(device).page.mouse.click(x, y);
}

async function forward({ device }) {
  await windows.get(device).page.goForward();
}

// scrollTo scrolls the page to a share of its height.
async function scrollTo({ device, share }) {
  await windows.get(device).page.evaluate((at) => window.scrollTo(0, at * document.documentElement.scrollHeight), share);
}

// list tells what the document has of the list, what has the focus, and the address.
function list({ device }) {
  return windows.get(device).page.evaluate(() => {
    const rows = [...document.querySelectorAll('.row')];
    const last = rows.find((row) => row.ariaPosInSet === row.ariaSetSize);
    const { top = Infinity } = last?.getBoundingClientRect() ?? {};
    const { activeElement: e } = document;
    return {
      rows: rows.length, size: rows[0]?.ariaSetSize ?? '', last: top < window.innerHeight,
      focused: e === document.body ? '' : e.getAttribute('aria-label') ?? e.textContent.trim(), address: window.location.hash,
    };
  });
}

// rows are the lines of the list: text, amount and, in brackets, what waits.
function rows() {
  return [...document.querySelectorAll('.row')].map((row) => {
    const text = (part) => row.querySelector(part).textContent.trim();
    return `${text('.description')} ${text('.amount')}${text('.mark') && ` [${text('.mark')}]`}`;
  });
}

function awaitRows({ device, want }) {
  return awaitSame(device, 'rows', rows, undefined, want);
}

// texts are what stands in the parts of the page that are in sight.
function texts(selector) {
  return [...document.querySelectorAll(selector)].filter((e) => e.checkVisibility()).map((e) => e.textContent.trim());
}

function awaitParts({ device, part, want }) {
  return awaitSame(device, part, texts, part, want);
}

// awaitSame looks from here again and again: the page's policy forbids to wait
// inside with code from outside.
async function awaitSame(device, what, look, arg, want) {
  const { page } = windows.get(device);
  const wanted = JSON.stringify(want);
  const deadline = Date.now() + patience;
  for (;;) {
    const got = JSON.stringify(await page.evaluate(look, arg));
    if (got === wanted) return;
    if (Date.now() > deadline) throw new Error(`${what}: ${got}, want ${wanted}`);
    await pause(20);
  }
}

async function awaitText({ device, text }) {
  const { page } = windows.get(device);
  await page.getByText(text).filter({ visible: true }).first().waitFor().catch(async () => {
    throw new Error(`no ${JSON.stringify(text)} in ${JSON.stringify(await page.locator('body').innerText())}`);
  });
}

async function awaitStatus({ device, text }) {
  const { page } = windows.get(device);
  const status = page.locator('.status');
  await status.getByText(text, { exact: true }).waitFor().catch(async () => {
    throw new Error(`status is ${JSON.stringify(await status.innerText())}, want ${JSON.stringify(text)}`);
  });
}

// axe gives the accessibility rules that the page breaks, with the places; frames are windows of their own.
async function axe({ device }) {
  const { page } = windows.get(device);
  await page.evaluate(() => Promise.all(document.getAnimations().map((a) => a.finished.catch(() => {}))));
  await page.evaluate(fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
  const { violations } = await page.evaluate(() => globalThis.axe.run({ iframes: false }));
  return violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.failureSummary}`).join('; ')}`);
}

// englishTexts finds in the page's program what the module of the English texts exports.
const englishTexts = /(\$\['[^']*words\/en\.js'\]) = \{[^}]*\};/;

// mirror has the page opened anew in a made-up language from right to left (mirrored.js).
async function mirror({ device }) {
  const { page } = windows.get(device);
  await page.route(/\/js\/app\.js$/, async (route) => {
    const response = await route.fetch();
    const turn = (left, module) => `${left}${module} = (${require('./mirrored.js')})(${module});`;
    const body = (await response.text()).replace(englishTexts, turn);
    await route.fulfill({ response, body });
  });
  await page.reload();
  await page.locator('html[dir=rtl]').waitFor();
}

// tap presses what CSS finds, for pages whose texts nobody here can name.
async function tap({ device, part }) {
  await windows.get(device).page.locator(part).filter({ visible: true }).first().click();
}

async function awaitPart({ device, part }) {
  await windows.get(device).page.locator(part).filter({ visible: true }).first().waitFor();
}

// phone measures what a hand needs of a phone: how many whole rows are in sight, how high the
// header is, what is smaller than a finger, and whether the last row can be scrolled clear of
// the bar.
function phone({ device }) {
  return windows.get(device).page.evaluate(() => {
    const box = (part) => document.querySelector(part).getBoundingClientRect();
    const boxes = (part) => [...document.querySelectorAll(part)].filter((e) => e.checkVisibility()).map((e) => [e, e.getBoundingClientRect()]);
    const rows = boxes('.row').filter(([, { top, bottom }]) => top >= box('.top').bottom && bottom <= box('.views').top).length;
    const small = boxes('.top button, .views a, .add, .row, .finder button').filter(([, { width, height }]) => width < 44 || height < 44);
    const header = box('.top').height;
    window.scrollTo(0, document.documentElement.scrollHeight);
    const clear = boxes('.row').every(([, { bottom }]) => bottom <= box('.add').top);
    window.scrollTo(0, 0);
    return { rows, header, clear, small: small.map(([e]) => e.getAttribute('aria-label') ?? e.textContent) };
  });
}

// spilled gives the parts of the page that do not fit: they reach out of the window, or out of
// what they are in by more than the margin of an icon. What is cut with an ellipsis, scrolled or
// only read out may be longer.
function spilled({ device }) {
  return windows.get(device).page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const top = document.querySelector('dialog[open], :popover-open') ?? document.body;
    const faults = [...top.querySelectorAll('*')].filter((e) => {
      const style = getComputedStyle(e);
      if (!e.checkVisibility() || e.closest('svg, option') || style.clipPath !== 'none') return false;
      const { left, right } = e.getBoundingClientRect();
      const cut = style.textOverflow === 'ellipsis' || ['auto', 'scroll'].includes(style.overflowX) || e.matches('input, select, textarea');
      return left < -1 || right > width + 1 || (!cut && style.display !== 'inline' && e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 8);
    }).map((e) => `${e.tagName} ${e.className} ${JSON.stringify(e.textContent.slice(0, 60))} ${e.scrollWidth} > ${e.clientWidth}`);
    return document.documentElement.scrollWidth > width ? [...faults, `the page is ${document.documentElement.scrollWidth} wide`] : faults;
  });
}

const actions = {
  launch, open, frame, goto, protocols, faults, close, fill, choose, upload, download, press, reopen, key, type, focused, offline, installed, workers, reload, stored,
  awaitKept, moveClock, back, clickAt, forward, scrollTo, list, requests, follow, pressBeside, go, content, mirror, tap, awaitPart, phone, spilled, awaitRows, awaitParts, awaitButton, awaitText, awaitStatus, axe,
};

async function answer(text) {
  const command = JSON.parse(text);
  const reply = await Promise.resolve(command).then(actions[command.do])
    .then((result = null) => ({ result }), (err) => ({ error: err.message }));
  process.stdout.write(`${JSON.stringify({ id: command.id, ...reply })}\n`);
}

const input = readline.createInterface({ input: process.stdin });
input.on('line', answer);
input.on('close', () => browser?.close());
