// Measures the page in Chromium for internal/e2e/pagespeed, which describes the figures.
//
//   node pagespeed.mjs '{"url", "chromium", "rounds", "book": session, "long": session}'
//
// A session is {token, user}, as the page stores it. Prints {name: [milliseconds of each round]}; a part of the page that
// is not there is an empty list.
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
      painted((at) => { measures.firstRow = at; });
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

async function open(context, path = '/') {
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  await page.addInitScript(watch);
  await page.goto(url + path);
  return page;
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

// Scrolls by the wheel, then to places all over the list, as one drags the bar, and gives the longest frame of each.
async function scrolling(page) {
  await page.mouse.move(700, 500);
  await page.evaluate(watchFrames);
  for (let i = 0; i < 60; i++) {
    await page.mouse.wheel(0, 300);
    await pause(30);
  }
  const wheel = Math.max(...await page.evaluate(unwatchFrames));
  await page.evaluate(watchFrames);
  await page.evaluate(async () => {
    const height = document.documentElement.scrollHeight;
    for (let i = 0; i <= 60; i++) {
      scrollTo(0, height * ((i * 37) % 61) / 60);
      await new Promise((next) => requestAnimationFrame(next));
    }
  });
  return { wheel, jumps: Math.max(...await page.evaluate(unwatchFrames)) };
}

async function round(browser, add) {
  const context = await newContext(browser, book);
  const page = await open(context);
  add('first row, first visit', await firstRow(page));
  await settle(page);
  await page.reload();
  add('first row, again', await firstRow(page));
  await settle(page);
  add('typing a description', await typing(page, page.getByLabel('Description', { exact: true }).first()));
  add('typing a search', await typing(page, page.getByRole('searchbox').first()));
  await context.close();
}

// The longest frame of a page with nothing in it: what the machine itself costs.
async function emptyRound(page, add) {
  await page.evaluate(watchFrames);
  await page.waitForTimeout(2_000);
  add(empty, Math.max(...await page.evaluate(unwatchFrames)));
}

async function longRound(page, add) {
  await page.evaluate(() => scrollTo(0, 0));
  await page.waitForTimeout(500);
  const { wheel, jumps } = await scrolling(page);
  add('frame, by wheel', wheel);
  add('frame, by scroll bar', jumps);
}

const empty = 'frame, empty page';
const figures = {};
const add = (name, figure) => { (figures[name] ??= []).push(...(figure === null ? [] : [figure])); };
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
const blank = await (await browser.newContext()).newPage();
await blank.addInitScript(watch);
await blank.goto(`${url}/readyz`);
for (let i = 0; i < rounds; i++) {
  await emptyRound(blank, add);
}
await blank.close();
for (let i = 0; i < rounds; i++) {
  await round(browser, add);
}
const context = await newContext(browser, long);
const page = await open(context);
await firstRow(page);
await settle(page);
for (let i = 0; i < rounds; i++) {
  await longRound(page, add);
}
await browser.close();
console.log(JSON.stringify(figures));
