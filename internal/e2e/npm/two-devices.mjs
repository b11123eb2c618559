// Makes the README's picture: one account on a laptop and a phone, and an entry that is added on the one and shown on the
// other. The program runs at URL with an empty database.
//
//   node internal/e2e/npm/two-devices.mjs URL docs/two-devices.webp
import { writeFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const [url, file] = process.argv.slice(2);
const ann = { name: 'Ann', email: 'ann@example.org', password: 'a long password here' };
const settings = { currency: 'EUR', timeZone: 'Europe/Berlin' };
const entries = [ // description, amount, category, type, days ago
  ['Salary', 3200, 'salary', 'income', 12], ['Rent', 980, 'bills', 'expense', 10], ['Train ticket', 49, 'transport', 'expense', 4],
  ['Groceries', 63.4, 'food', 'expense', 2], ['Cinema', 24, 'entertainment', 'expense', 1],
  ['Pharmacy', 12.8, 'healthcare', 'expense', 1], ['Coffee', 3.9, 'food', 'expense', 0],
];

async function send(method, path, body, token = '') {
  const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` };
  const response = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
  if (!response.ok) {
    throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  }
  return response.json();
}

async function fillAccount() {
  const { token } = await send('POST', '/api/auth/register', ann);
  await send('PATCH', '/api/user/settings', settings, token);
  for (const [description, amount, category, type, ago] of entries) {
    const date = new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
    await send('POST', '/api/expenses', { description, amount, category, type, date, currency: settings.currency }, token);
  }
}

async function signedIn(browser, options) {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: settings.timeZone, deviceScaleFactor: 2, ...options });
  const page = await context.newPage();
  await page.goto(url);
  await page.getByLabel('E-mail').fill(ann.email);
  await page.getByLabel('Password', { exact: true }).fill(ann.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText('Coffee').first().waitFor();
  await page.waitForTimeout(2_500); // the rows are cached, so that the form knows the currency after a reload
  await page.reload();
  await page.getByText('Live', { exact: true }).first().waitFor();
  return page;
}

// Draws both screenshots beside each other; it runs in the browser.
async function compose([laptop, phone]) {
  const load = (src) => new Promise((resolve) => { const image = new Image(); image.onload = () => resolve(image); image.src = src; });
  const canvas = Object.assign(document.createElement('canvas'), { width: 1560, height: 860 });
  const context = Object.assign(canvas.getContext('2d'), { imageSmoothingQuality: 'high', textAlign: 'center', font: '500 22px sans-serif' });
  const box = (x, y, width, height, radius) => { context.beginPath(); context.roundRect(x, y, width, height, radius); };
  const device = (image, x, y, width, height, radius) => {
    context.save();
    Object.assign(context, { shadowColor: 'rgba(0, 0, 0, .28)', shadowBlur: 28, shadowOffsetY: 10, fillStyle: '#1b2421' });
    box(x - 10, y - 10, width + 20, height + 20, radius + 10);
    context.fill();
    context.restore();
    context.save();
    box(x, y, width, height, radius);
    context.clip();
    context.drawImage(image, x, y, width, height);
    context.restore();
  };
  context.fillStyle = '#dfe7e3';
  context.fillRect(0, 0, canvas.width, canvas.height);
  device(await load(laptop), 50, 64, 1040, 700, 6);
  device(await load(phone), 1140, 70, 370, 664, 20);
  context.fillStyle = '#2c3a35';
  context.fillText('Laptop: an entry is added', 570, 822);
  context.fillText('Phone: it is there', 1325, 822);
  return canvas.toDataURL('image/webp', 0.86);
}

await fillAccount();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const laptop = await signedIn(browser, { viewport: { width: 1040, height: 700 } });
const phone = await signedIn(browser, { viewport: { width: 390, height: 700 }, isMobile: true, hasTouch: true });
await laptop.locator('#expense-1-amount').fill('18.50');
await laptop.locator('#expense-1-description').fill('Lunch with Bo');
await laptop.getByRole('button', { name: 'Add', exact: true }).click();
await phone.getByText('Lunch with Bo').waitFor();
await laptop.evaluate(() => document.activeElement?.blur());
const shots = [];
for (const page of [laptop, phone]) {
  await page.evaluate(() => window.scrollTo(0, 0));
  await page.waitForTimeout(600); // animations end
  shots.push(`data:image/png;base64,${(await page.screenshot()).toString('base64')}`);
}
const picture = await (await browser.newPage()).evaluate(compose, shots);
writeFileSync(file, Buffer.from(picture.split(',')[1], 'base64'));
await browser.close();
