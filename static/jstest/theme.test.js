import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { Storage } from '../js/storage.js';
import { chooseTheme, themeOf } from '../js/theme.js';
import { FakeDisk } from './fakes.js';

const early = readFileSync(new URL('../theme.js', import.meta.url), 'utf8');

/** A page whose head has one element for each scheme, after ../theme.js has run. */
function pageWith(disk, folder = '/') {
  const head = ['light', 'dark'].map((scheme) => ({ media: `(prefers-color-scheme: ${scheme})`, dataset: {}, scheme }));
  const root = { attributes: {}, setAttribute(name, value) { this.attributes[name] = value; }, removeAttribute(name) { delete this.attributes[name]; } };
  const target = new EventTarget();
  runInNewContext(early, {
    URL, localStorage: disk, addEventListener: target.addEventListener.bind(target),
    document: {
      currentScript: { src: `http://localhost${folder}theme.js` }, documentElement: root, querySelectorAll: (selector) => head.filter((e) => selector.includes(`data-scheme="${e.scheme}"`)),
    },
  });
  return { target, look: () => [root.attributes['data-theme'] ?? 'system', ...head.map((e) => e.media)] };
}

const asSystem = ['system', '(prefers-color-scheme: light)', '(prefers-color-scheme: dark)'];

test('a theme is stored, applied at once, and applied first at the next start', () => {
  const disk = new FakeDisk();
  const storage = new Storage(disk);
  const page = pageWith(disk);
  assert.deepEqual([themeOf(storage), page.look()], ['system', asSystem]);
  chooseTheme(storage, 'dark', page.target);
  assert.deepEqual([themeOf(storage), page.look()], ['dark', ['dark', 'not all', 'all']]);
  assert.deepEqual(pageWith(disk).look(), ['dark', 'not all', 'all']);
  chooseTheme(storage, 'light', page.target);
  assert.deepEqual(page.look(), ['light', 'all', 'not all']);
  chooseTheme(storage, 'system', page.target);
  assert.deepEqual([page.look(), pageWith(disk).look(), disk.length], [asSystem, asSystem, 0]);
});

test('the theme of another installation on the same origin is another', () => {
  const disk = new FakeDisk();
  chooseTheme(new Storage(disk, '/money/'), 'dark', new EventTarget());
  assert.deepEqual(['/money/', '/', '/money/sub/'].map((folder) => pageWith(disk, folder).look()[0]), ['dark', 'system', 'system']);
});

test('what is no theme, and a browser without a store, look as the system', () => {
  for (const text of ['"blue"', '{', 'null', '["dark"]']) {
    const disk = new FakeDisk();
    disk.setItem('expenseflow.theme', text);
    assert.deepEqual([themeOf(new Storage(disk)), pageWith(disk).look()], ['system', asSystem]);
  }
  assert.deepEqual(pageWith(null).look(), asSystem);
});
