// Measures the page in Chromium for internal/e2e/pagespeed, which describes the figures.
//
//   node pagespeed.mjs '{"url", "chromium", "rounds", "book": session, "long": session}'
//
// A session is {token, user}, as the page stores it. Prints {name: [milliseconds of each round]}; a part of the page that
// is not there is an empty list. A last round is traced: what it takes of the processor is in "processor: name".
import { setTimeout as pause } from 'node:timers/promises';
import { chromium } from 'playwright-core';

const { url, chromium: executablePath, rounds, book, long } = JSON.parse(process.argv[2]);
const patience = 120_000;
const typed = 'Groceries at the market';

// Runs in the page before its own scripts.
function watch() {
  const measures = { firstRow: 0, frames: [], events: [] };
  globalThis.measures = measures;
  const painted = (then) => requestAnimationFrame(() => setTimeout(() => then(performance.now())));
  const observer = new MutationObserver(() => {
    if (document.querySelector('.row')) {
      observer.disconnect();
      painted((at) => { measures.firstRow = at; performance.mark('first row'); });
    }
  });
  observer.observe(document, { childList: true, subtree: true });
  // Events that are painted within 16 ms are not told of.
  new PerformanceObserver((list) => {
    measures.events.push(...list.getEntries().filter((e) => /^(key|input|before)/.test(e.name)).map((e) => e.duration));
  }).observe({ type: 'event', durationThreshold: 16, buffered: true });
}

// Collects the times between frames until the function it returns is called.
function watchFrames() {
  const { measures } = globalThis;
  measures.frames = [];
  let last = 0;
  const frame = (at) => {
    last && measures.frames.push(at - last);
    last = at;
    measures.watching = requestAnimationFrame(frame);
  };
  measures.watching = requestAnimationFrame(frame);
}

function unwatchFrames() {
  cancelAnimationFrame(globalThis.measures.watching);
  return globalThis.measures.frames;
}

function newContext(browser, session) {
  const localStorage = [{ name: 'expenseflow.session', value: JSON.stringify(session) }];
  return browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 800 }, storageState: { cookies: [], origins: [{ origin: url, localStorage }] } });
}

async function firstRow(page) {
  await page.waitForFunction(() => globalThis.measures?.firstRow > 0, null, { timeout: patience });
  return page.evaluate(() => globalThis.measures.firstRow);
}

// Waits until the page has all that it loads and stores by itself.
async function settle(page) {
  await page.locator('.status').getByText('Live', { exact: true }).waitFor();
  await page.waitForLoadState('networkidle');
  await page.waitForTimeout(3_000);
}

// Types and gives the longest time from a key to the paint that follows it.
async function typing(page, field) {
  if (await field.count() === 0) {
    return null;
  }
  await field.click();
  await page.waitForTimeout(500);
  await page.evaluate(() => { globalThis.measures.events = []; });
  await page.keyboard.type(typed, { delay: 70 });
  await page.waitForTimeout(700);
  const slowest = await page.evaluate(() => Math.max(16, ...globalThis.measures.events));
  await field.fill('');
  return slowest;
}

// The longest frame while work goes on.
async function longestFrame(page, work) {
  await page.evaluate(watchFrames);
  await work();
  return Math.max(...await page.evaluate(unwatchFrames));
}

async function byWheel(page) {
  await page.mouse.move(700, 500);
  for (let i = 0; i < 60; i++) {
    await page.mouse.wheel(0, 300);
    await pause(30);
  }
}

// Goes to places all over the list, as one drags the bar.
async function byScrollBar(page) {
  await page.evaluate(async () => {
    const height = document.documentElement.scrollHeight;
    for (let i = 0; i <= 60; i++) {
      scrollTo(0, height * ((i * 37) % 61) / 60);
      await new Promise((next) => requestAnimationFrame(next));
    }
  });
}

async function round(browser, measure) {
  const context = await newContext(browser, book);
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  await page.addInitScript(watch);
  const load = async () => (await page.goto(url), firstRow(page));
  await measure('first row, first visit', load, total);
  await settle(page);
  await measure('first row, again', load, total);
  await settle(page);
  await measure('typing a description', () => typing(page, page.getByLabel('Description', { exact: true }).first()), longest);
  await measure('typing a search', () => typing(page, page.getByRole('searchbox').first()), longest);
  await context.close();
}

async function longRound(page, measure) {
  await page.evaluate(() => scrollTo(0, 0));
  await page.waitForTimeout(500);
  await measure('frame, by wheel', () => longestFrame(page, () => byWheel(page)), longest);
  await measure('frame, by scroll bar', () => longestFrame(page, () => byScrollBar(page)), longest);
}

const total = (tasks) => tasks.reduce((sum, task) => sum + task, 0);
const longest = (tasks) => Math.max(0, ...tasks);

const figures = {};

async function timed(name, work) {
  const figure = await work();
  (figures[name] ??= []).push(...(figure === null ? [] : [figure]));
}

// The time of the processor that the tasks of the page's thread took: all of them together, or the longest. What follows a first row does not count.
async function traced(name, work, sum) {
  await browser.startTracing(undefined, { categories: ['toplevel', 'blink.user_timing'] });
  await work();
  const { traceEvents } = JSON.parse(await browser.stopTracing());
  const threads = new Map(traceEvents.filter((e) => e.name === 'thread_name' && e.args.name === 'CrRendererMain').map((e) => [`${e.pid} ${e.tid}`, []]));
  const end = traceEvents.find((e) => e.name === 'first row')?.ts ?? Infinity;
  traceEvents.filter((e) => /RunTask$/.test(e.name) && e.tdur && e.ts < end).forEach((e) => threads.get(`${e.pid} ${e.tid}`)?.push(e.tdur / 1_000));
  figures[`processor: ${name}`] = [Math.max(0, ...[...threads.values()].map(sum))];
}

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
const blank = await (await browser.newContext()).newPage();
await blank.addInitScript(watch);
await blank.goto(`${url}/readyz`);
for (let i = 0; i < rounds; i++) {
  await timed('frame, empty page', () => longestFrame(blank, () => blank.waitForTimeout(2_000)));
}
await blank.close();
for (let i = 0; i <= rounds; i++) {
  await round(browser, i < rounds ? timed : traced);
}
const context = await newContext(browser, long);
const page = await context.newPage();
page.setDefaultTimeout(patience);
await page.addInitScript(watch);
await page.goto(url);
await firstRow(page);
await settle(page);
for (let i = 0; i <= rounds; i++) {
  await longRound(page, i < rounds ? timed : traced);
}
await browser.close();
console.log(JSON.stringify(figures));
