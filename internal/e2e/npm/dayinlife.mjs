// Plays the scenes of internal/e2e/dayinlife in Chromium and takes a picture of each.
//
//   node dayinlife.mjs '{"url", "chromium", "out", "zone", "password", "begin": milliseconds of the day's beginning}'
//
// Prints "clock MILLISECONDS" and waits for a line on stdin when the server is to have that time; every other line is for
// whoever looks at the pictures.
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const { url, chromium: executablePath, out, zone, password, begin } = JSON.parse(process.argv[2]);
const patience = 60_000;
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const pages = [];
let now = begin;

/** Sets the time of the server and of every open page: hours and minutes after the day's beginning. */
async function clock(hours, minutes = 0) {
  now = begin + (hours * 60 + minutes) * 60_000;
  console.log(`clock ${now}`);
  await answers.next();
  for (const page of pages) {
    await page.clock.setFixedTime(now);
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  }
}

async function open(browser, email, options) {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: zone, deviceScaleFactor: 2, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  await page.clock.setFixedTime(now);
  await page.goto(url);
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await live(page);
  pages.push(page);
  return page;
}

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const laptop = { viewport: { width: 1280, height: 800 } };
const live = (page) => page.locator('.status[data-state=live]').waitFor();
const row = (page, text) => page.locator('.row', { hasText: text }).filter({ visible: true }).first();
const form = (page) => page.locator('dialog[open] .expense-form, .entry .expense-form').filter({ visible: true }).last();

async function fill(page, { description, amount, category }) {
  const fields = form(page);
  if (amount) {
    await fields.locator('input[inputmode=decimal]').first().fill(amount);
  }
  if (description) {
    await fields.getByLabel('Description', { exact: true }).fill(description);
  }
  if (category) {
    await fields.getByLabel('Category', { exact: true }).selectOption(category);
  }
}

async function add(page, entry) {
  const button = page.getByRole('button', { name: 'Add entry' });
  if (await button.isVisible()) {
    await button.click();
  }
  await fill(page, entry);
  await form(page).getByRole('button', { name: 'Add', exact: true }).click();
  await row(page, entry.description).waitFor();
}

async function edit(page, text, change) {
  await row(page, text).getByRole('button', { name: /^Edit / }).click(); // on a phone it is as large as the row
  await page.locator('dialog[open] .expense-form').waitFor();
  await fill(page, change);
  await form(page).getByRole('button', { name: 'Save', exact: true }).click();
  await page.locator('dialog[open]').waitFor({ state: 'detached' }).catch(() => {});
}

let pictures = 0;

async function picture(page, name, shows) {
  await page.waitForTimeout(900); // animations end
  const file = `${String(++pictures).padStart(2, '0')}-${name}.png`;
  await page.screenshot({ path: `${out}/${file}` });
  console.log(`${file}: ${shows}`);
}

async function top(page) {
  await page.evaluate(() => { document.activeElement?.blur(); [document.scrollingElement, document.querySelector('.side')].forEach((part) => part.scrollTo(0, 0)); });
}

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });

await clock(7, 40);
const mine = await open(browser, 'ann@example.org', phone);
await picture(mine, 'morning', 'the phone in the morning: today, what this month has cost, and what is upcoming');
await mine.context().setOffline(true);
await add(mine, { description: 'Breakfast roll', amount: '3.40' });
await edit(mine, 'Groceries', { amount: '61.90' });
await mine.waitForTimeout(1_500);
await picture(mine, 'phone-offline', 'the phone says that it is offline and that two changes wait; both are in the list, marked');

await clock(12, 30);
const desk = await open(browser, 'ann@example.org', laptop);
await add(desk, { description: 'Museum with Cleo', amount: '14.50', category: 'entertainment' });
await edit(desk, 'Groceries', { amount: '66.40' });
await top(desk);
await picture(desk, 'laptop-at-noon', 'the laptop has a visit to the museum and another amount of the groceries, and knows nothing of the breakfast');

await clock(17, 45);
await mine.context().setOffline(false);
await mine.evaluate(() => dispatchEvent(new Event('online')));
await row(desk, 'Breakfast roll').waitFor();
await mine.locator('#parked-title').waitFor();
await top(mine);
await picture(mine, 'conflict', 'the phone is back: the breakfast arrived, and the two amounts of the groceries wait for a decision');
await mine.locator('.parked').scrollIntoViewIfNeeded();
const decide = mine.locator('.parked li button').filter({ hasNotText: /again|discard/i, visible: true }).first();
if (await decide.count() > 0) {
  await decide.click();
}
await picture(mine, 'conflict-sides', 'both sides of the conflict, with who changed what');
await mine.keyboard.press('Escape');

await clock(19, 15);
const theirs = await open(browser, 'ben@example.org', { ...laptop, colorScheme: 'dark' });
await edit(theirs, 'Cabin in the mountains', { amount: '395' });
await picture(theirs, 'partner', 'the partner has the cabin, shared by Ann, with the new price, in dark');
await row(desk, '395').waitFor().catch(() => {});
await top(desk);
await picture(desk, 'laptop-of-the-partner', 'the laptop has the new price, and a notification of it');

await clock(20, 30);
await add(desk, { description: 'Dinner at the Harbour Grill', amount: '48' });
await desk.getByText(/Over budget/).filter({ visible: true }).first().waitFor();
await picture(desk, 'budget-alert', 'an alert: the budget of food is used up');
await desk.getByRole('link', { name: /^Overview/ }).click();
await picture(desk, 'overview', 'the overview of the month, with the budget that is used up');
await top(mine);
await picture(mine, 'phone-in-the-evening', 'the phone has everything of the day');

await clock(23, 59);
await desk.getByRole('link', { name: /^Entries/ }).click();
await top(desk);
await picture(desk, 'before-midnight', 'a minute before the month ends');
await clock(24, 1);
await live(desk);
await picture(desk, 'after-midnight', 'the same page after midnight: another month, in which the rent of its first day counts');
await desk.getByRole('link', { name: /^Overview/ }).click();
await picture(desk, 'new-month', 'the overview of the new month');
await browser.close();
process.exit(0);
