import assert from 'node:assert/strict';
import { test } from 'node:test';
import { micros, money, readAmount, typedAmount, unbroken, useCurrency } from '../js/numbers.js';
import { amountFault } from '../js/panels/amount.js';

test('an amount is understood as it is written where the reader lives', () => {
  const understood = [
    ['12.50', 'en', 12.5], ['12,50', 'en', 12.5], ['12,50', 'de', 12.5], ['12.50', 'de', 12.5],
    ['1,000', 'en', 1000], ['1,000', 'de', 1], ['1.000', 'de', 1000], ['1.000', 'en', 1],
    ['1,234,567.89', 'en', 1234567.89], ['1.234.567,89', 'de', 1234567.89], ["1'234.50", 'de-CH', 1234.5],
    ['1 234,5', 'fr', 1234.5], ['.5', 'en', 0.5], ['7.', 'en', 7], ['1234.567', 'de', 1234.567],
    ['12٫50', 'fa-IR', 12.5], ['۱۲٫۵۰', 'fa-IR', 12.5], ['١٬٠٠٠', 'ar-EG', 1000], ['१२.५', 'hi', 12.5],
    ['1,25,000.00', 'en-IN', 125000], ['1,25,000.00', 'en', 125000],
  ];
  for (const [text, locale, want] of understood) {
    assert.deepEqual(readAmount(text, locale), { amount: want }, `${text} in ${locale}`);
  }
});

test('a group of thousands never begins with 0', () => {
  for (const [text, locale] of [['0.500', 'de'], ['0.500', 'fr'], ['0,500', 'en'], ['.500', 'de']]) {
    assert.deepEqual(readAmount(text, locale), { amount: 0.5 }, `${text} in ${locale}`);
  }
});

test('what could be a thousand times as much is asked about', () => {
  assert.deepEqual(readAmount('1.500', 'fr'), { choices: [1.5, 1500] });
  assert.deepEqual(readAmount('1,500', 'de-CH'), { choices: [1.5, 1500] });
  for (const choice of [1.5, 1500]) {
    assert.deepEqual(readAmount(typedAmount(choice, 'fr'), 'fr'), { amount: choice });
  }
});

test('what is no amount is none', () => {
  for (const text of ['', 'abc', '-5', '1e5', '1,2,3', '1.2.3', '0x10', '12 EUR', '.', ',', ';', '1;5', 'Infinity', '1,,000', '0,000,5']) {
    assert.deepEqual(readAmount(text, 'en'), {}, text);
  }
});

test('in every language, what the page writes it reads back', () => {
  const locales = everyLocale();
  assert.ok(locales.length > 500, `${locales.length} locales`);
  for (const locale of locales) {
    for (const amount of [0.05, 1.5, 12.345, 999.999, 1500, 125000, 1234567.891234]) {
      const shown = money(micros(amount), '', locale);
      const [inYen, inDinar] = ['JPY', 'KWD'].map((currency) => withoutSymbol(money(micros(amount), currency, locale), currency, locale));
      for (const text of [typedAmount(amount, locale), shown, inYen, inDinar]) {
        assert.deepEqual(readAmount(text, locale), { amount }, `${text} in ${locale}`);
      }
    }
  }
});

/** Every locale for which this engine has figures of its own. */
function everyLocale() {
  const letters = [...'abcdefghijklmnopqrstuvwxyz'];
  const pairs = letters.flatMap((a) => letters.map((b) => a + b));
  const languages = Intl.NumberFormat.supportedLocalesOf([...pairs, ...pairs.flatMap((p) => letters.map((c) => p + c))]);
  return languages.flatMap((language) => [language, ...pairs.map((region) => `${language}-${region.toUpperCase()}`).filter(isKnown)]);
}

function isKnown(locale) {
  try {
    return new Intl.NumberFormat(locale).resolvedOptions().locale === locale;
  } catch {
    return false; // a language that may not have a region
  }
}

function withoutSymbol(text, currency, locale) {
  const parts = new Intl.NumberFormat(locale, { style: 'currency', currency }).formatToParts(1);
  return parts.filter((p) => p.type === 'currency' || p.type === 'literal').reduce((rest, p) => rest.replace(p.value, ''), text);
}

test('the largest amount does not lose a cent', () => {
  assert.equal(micros(9_000_000_000_000) - micros(0.01), 8_999_999_999_999_990_000n);
});

test('an amount has the decimals of its currency, and more only if it has them', () => {
  const texts = [
    money(micros(12), '', 'en'), money(micros(12.345), '', 'en'), money(-micros(0.5), '', 'en'), money(micros(3), 'BTC12', 'en'),
    money(micros(1500), 'JPY', 'en'), money(micros(1500.5), 'JPY', 'en'), money(micros(2), 'KWD', 'en').replace(/\s/, ' '), money(-micros(2), 'EUR', 'en'),
  ];
  assert.deepEqual(texts, ['12.00', '12.345', '−0.50', '3.00 BTC12', '¥1,500', '¥1,500.5', 'KWD 2.000', '−€2.00']);
  assert.deepEqual([typedAmount(3.2, 'en'), typedAmount(3, 'en'), typedAmount('', 'en')], ['3.20', '3', '']);
});

test('amounts that nobody can enter do not stop the page from showing them', () => {
  assert.deepEqual([micros(-0.5), micros(1e21), micros(1e-7)], [-500_000n, 10n ** 27n, 0n]);
});

test('two sums in Arabic traded their signs and currencies', () => {
  const sums = [money(-micros(30), '', 'ar-EG'), money(micros(1234.5), 'EUR', 'ar-EG'), money(-micros(30), '', 'fa-IR')];
  sums.forEach((text) => assert.match(text, /^\u2068[^\u2068\u2069]+\u2069$/));
});

test('money that was spent lost its sign where a mark of direction stands before it', () => {
  for (const locale of ['ar-EG', 'he', 'fa-IR', 'en']) {
    assert.match(money(-micros(2.4), 'EUR', locale), /−/, locale);
  }
});

test('whoever types a currency sign learns where the currency goes', () => {
  const rule = { enough: (amount) => amount > 0, tooLittle: '', example: 12.5, place: 'The currency goes under More details.' };
  ['¥500', '12 EUR', '$12'].forEach((text) => assert.match(amountFault(text, rule), /^Enter the number alone, such as .+ More details\.$/));
  assert.match(amountFault('1.2.3.4', rule), /^Enter a number, such as/);
});

test('amounts are exact millionths, whatever their size', () => {
  const amounts = [['0.1', 100_000n], ['1.005', 1_005_000n], ['999999999.999999', 999_999_999_999_999n], ['1000000000.000001', 1_000_000_000_000_001n], ['8999999999999.12', 8_999_999_999_999_120_000n], ['0.0000019', 1n]];
  for (const [text, value] of amounts) {
    assert.deepEqual([micros(Number(text)), micros(-Number(text))], [value, -value], text);
  }
  for (let k = 1n; k < 1_000_000_000_000_000n; k = k * 7n + 3n) {
    assert.equal(micros(Number(`${k / 1_000_000n}.${String(k % 1_000_000n).padStart(6, '0')}`)), k);
  }
});

test('an amount that names no currency is shown in the account\'s, with its decimals', () => {
  useCurrency('JPY');
  assert.deepEqual([money(500_000_000n, '', 'en'), money(500_000_000n, 'EUR', 'en'), money(500_000_000n, null, 'en')], ['¥500', '€500.00', '500.00']);
  useCurrency('');
  assert.equal(money(500_000_000n, '', 'en'), '500.00');
});

test('no line ends between a minus and the symbol behind it', () => {
  assert.deepEqual(['−€136.70', '−4.00', '€4.00'].map(unbroken), ['−\u2060€136.70', '−4.00', '€4.00']);
});
