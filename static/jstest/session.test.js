import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useZone } from '../js/days.js';
import { removeCachesOfOthers } from '../js/caches.js';
import * as sessions from '../js/session.js';
import { money } from '../js/numbers.js';
import { newestNext } from '../js/panels/savedform.js';
import { currencyOfRegion, isCurrencyName } from '../js/regioncurrency.js';
import { Settings } from '../js/settings.js';
import { shownHome } from '../js/totals.js';
import { Storage } from '../js/storage.js';

const refused = (err) => err.message === 'refused';

test('a session that was left without a network ends when there is one again', async () => {
  const storage = new Storage(null);
  sessions.rememberSignedOut(storage, 't1');
  sessions.rememberSignedOut(storage, 't2');
  const told = [];
  await sessions.revokeSignedOut(storage, () => Promise.reject(new Error('unreachable')), refused);
  await sessions.revokeSignedOut(storage, async (t) => { told.push(t); if (t === 't1') throw new Error('refused'); }, refused);
  await sessions.revokeSignedOut(storage, async (t) => told.push(t), refused);
  assert.deepEqual(told, ['t1', 't2']);
});

test('rows and settings of people who are not signed in here are forgotten', () => {
  const storage = new Storage(null);
  ['anna', 'bob'].forEach((id) => storage.set(`expenseflow.${id}.rows`, [1])); // of an earlier version
  storage.set('expenseflow.anna.settings', { currency: 'EUR' });
  storage.set('expenseflow.bob.settings', { currency: 'EUR' });
  storage.set('expenseflow.bob.queue.1', { action: 'CREATE' });
  removeCachesOfOthers(storage, 'anna');
  assert.deepEqual(storage.keys('expenseflow.'), ['expenseflow.anna.settings', 'expenseflow.bob.queue.1']);
  removeCachesOfOthers(storage);
  assert.deepEqual(storage.keys('expenseflow.'), ['expenseflow.bob.queue.1']);
});

test('nothing of a deleted account stays in the browser', () => {
  const storage = new Storage(null);
  ['rows', 'settings', 'device', 'queue.1'].forEach((kind) => storage.set(`expenseflow.bob.${kind}`, [1]));
  storage.set('expenseflow.bobby.queue.1', [1]);
  sessions.forgetAccount(storage, 'bob');
  assert.deepEqual(storage.keys('expenseflow.'), ['expenseflow.bobby.queue.1']);
});

test('settings that arrive after signing out are not kept', async () => {
  const storage = new Storage(null);
  const settings = new Settings({ storage, live: { listen() {} }, userId: 'bob', api: { settings: async () => ({ currency: 'EUR' }) } });
  const answer = settings.refresh();
  settings.stop();
  await answer;
  assert.deepEqual(storage.keys('expenseflow.'), []);
});

test('a currency that the server refuses is not counted in', async () => {
  const saveSettings = async ({ currency }) => {
    if (currency !== 'EUR') throw new Error('refused');
    return { currency, timeZone: 'UTC' };
  };
  const settings = new Settings({ storage: new Storage(null), live: { listen() {} }, userId: 'bob', api: { saveSettings } });
  await assert.rejects(settings.chooseCurrency('XXX'), /refused/);
  assert.equal(settings.currency, 'INR');
  await settings.chooseCurrency('EUR');
  assert.equal(settings.currency, 'EUR');
});

test('a home currency is shown beside amounts once somebody has chosen it, the one that all begin with too', async () => {
  const answers = [{ currency: 'INR', currencyChosen: false }, { currency: 'INR', currencyChosen: true }, { currency: 'EUR', currencyChosen: true }, { currency: 'INR', currencyChosen: false }];
  const settings = new Settings({ storage: new Storage(null), live: { listen() {} }, userId: 'bob', api: { settings: async () => answers.shift() } });
  assert.equal(settings.currencyChosen, undefined);
  for (const [chosen, amount, beside] of [[false, '5.00', ''], [true, '₹5.00', 'INR'], [true, '€5.00', 'EUR'], [false, '5.00', '']]) {
    await settings.refresh();
    assert.deepEqual([settings.currencyChosen, money(5_000_000n, '', 'en'), shownHome(settings.currency)], [chosen, amount, beside]);
  }
});

test('a new account is offered the currency of where its reader is', () => {
  const codes = ['USD', 'EUR', 'GBP', 'INR', 'CHF', 'JPY'];
  const guesses = { 'en-US': 'USD', en: 'USD', 'en-GB': 'GBP', 'de-DE': 'EUR', de: 'EUR', 'hi-IN': 'INR', 'de-CH': 'CHF', ja: 'JPY', 'en-NG': '', eo: '' };
  Object.entries(guesses).forEach(([language, currency]) => assert.equal(currencyOfRegion(language, codes), currency, language));
});

test('a form that saves by itself ignored what was submitted while it saved', async () => {
  const saved = [];
  const answers = [];
  const enter = newestNext((value) => new Promise((resolve) => (saved.push(value), answers.push(resolve))));
  const answer = async () => (answers.shift()(), await new Promise(setImmediate));
  enter('a');
  enter('b');
  enter('c');
  assert.deepEqual(saved, ['a']);
  await answer();
  assert.deepEqual(saved, ['a', 'c']);
  enter('c'); // pressed twice
  await answer();
  assert.deepEqual(saved, ['a', 'c']);
  enter('c');
  enter('d');
  enter('c');
  await answer();
  await answer();
  assert.deepEqual(saved, ['a', 'c', 'c', 'c']);
});

test('a time zone that the server refuses does not move the days', async () => {
  const saveSettings = async ({ timeZone }) => {
    if (timeZone !== 'Pacific/Auckland') throw new Error('refused');
    return { currency: 'INR', timeZone };
  };
  const settings = new Settings({ storage: new Storage(null), live: { listen() {} }, userId: 'bob', api: { saveSettings } });
  const before = settings.timeZone;
  await assert.rejects(settings.chooseTimeZone('Nowhere'), /refused/);
  assert.equal(settings.timeZone, before);
  await settings.chooseTimeZone('Pacific/Auckland');
  assert.equal(settings.timeZone, 'Pacific/Auckland');
  useZone(before);
});

test('the name of a currency is not taken for a code', () => {
  assert.deepEqual(['EURO', 'EUROS', 'POUND', 'POUNDS'].filter((typed) => !isCurrencyName(typed)), []);
  assert.deepEqual(['', 'EUR', 'GBP', 'BTC', 'SOL', 'USDT', 'USDC'].filter(isCurrencyName), []);
});
