// Makes the README's picture: the account of `expenseflow demo` on a laptop and a phone, and an entry that is added on the
// one and shown on the other. It starts the demo, or shows one that runs at URL.
//
//   node internal/e2e/npm/two-devices.mjs docs/two-devices.webp [URL]
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const [file, running] = process.argv.slice(2);
const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Starts the demo and gives its address and what ends it. */
async function startDemo() {
  const demo = spawn('go', ['run', '.', 'demo'], { cwd: root, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const stop = () => process.kill(-demo.pid, 'SIGINT'); // with what the go command has started
  for await (const line of createInterface({ input: demo.stdout })) {
    const [, url] = /(http:\S+)\/demo/.exec(line) ?? [];
    if (url) {
      return { url, stop };
    }
  }
  throw new Error('the demo did not start');
}

async function signedIn(browser, url, options) {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin', deviceScaleFactor: 2, ...options });
  const page = await context.newPage();
  await page.goto(`${url}/demo/enter`);
  await page.locator('.status[data-state=live]').waitFor();
  await page.locator('.row').first().waitFor();
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

const { url, stop } = running ? { url: running, stop: () => {} } : await startDemo();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const laptop = await signedIn(browser, url, { viewport: { width: 1040, height: 700 } });
const phone = await signedIn(browser, url, { viewport: { width: 390, height: 700 }, isMobile: true, hasTouch: true });
await laptop.locator('.entry .expense-form input[inputmode=decimal]').fill('5.80');
await laptop.locator('.entry').getByLabel('Description', { exact: true }).fill('Ice cream with Ben');
await laptop.locator('.entry').getByRole('button', { name: 'Add', exact: true }).click();
await phone.getByText('Ice cream with Ben').first().waitFor();
const shots = [];
for (const page of [laptop, phone]) {
  await page.evaluate(() => document.activeElement?.blur());
  await page.evaluate(() => [document.scrollingElement, document.querySelector('.side')].forEach((part) => part.scrollTo(0, 0)));
  await page.waitForTimeout(900); // animations end
  shots.push(`data:image/png;base64,${(await page.screenshot()).toString('base64')}`);
}
const picture = await (await browser.newPage()).evaluate(compose, shots);
writeFileSync(file, Buffer.from(picture.split(',')[1], 'base64'));
await browser.close();
stop();
