import { isolated } from './format.js';

/**
 * Amounts as people write and read them. This is the one place of the page that
 * turns numbers into text and text into numbers, in the reader's language; for
 * every language, what it writes it reads back as the same amount.
 */

/** What an amount may be (docs/contract.md#amounts). */
export const smallestAmount = 0.01;
export const largestAmount = 9_000_000_000_000;

/** What stands in place of an amount that is not known yet. */
export const unknown = '–';

const perUnit = 1_000_000n; // amounts are counted in millionths, as the server counts them
const maxDecimals = 6;

/** Below this, an amount of six decimals has so few digits that no other number is written like it. */
const mostExact = 1e9;

let home = '';

/** Sets the currency of amounts that name none; '' shows none. */
export function useCurrency(currency) {
  home = currency;
}

/** The currency of amounts that name none, as useCurrency has set it. */
export function chosenCurrency() {
  return home;
}

/** A JSON amount as a whole number of millionths: sums stay exact. */
export function micros(amount) {
  const rounded = Math.round(amount * 1e6);
  if (rounded / 1e6 === amount && Math.abs(amount) < mostExact) {
    return BigInt(rounded);
  }
  const text = String(Math.abs(amount));
  if (text.includes('e')) {
    return BigInt(Math.round(amount)) * perUnit; // nobody's amount, but it may be parked
  }
  const [whole, fraction = ''] = text.split('.');
  const value = BigInt(whole) * perUnit + BigInt(fraction.slice(0, maxDecimals).padEnd(maxDecimals, '0'));
  return amount < 0 ? -value : value;
}

/**
 * Millionths as text, with the currency if there is one. It has the decimals that
 * the currency has (two without one), and more if the amount has more.
 *
 * An amount that names no currency is in the account's, which is shown if somebody chose
 * it (useCurrency); null is an amount of no currency.
 */
export function money(value, named = '', locale = undefined) {
  const text = decimal(value);
  const currency = named === null ? '' : named || home;
  const known = currency.length === 3;
  const usual = known ? decimalsOf(currency) : 2;
  const digits = Math.max(usual, text.split('.')[1]?.length ?? 0);
  const options = { minimumFractionDigits: usual, maximumFractionDigits: digits };
  const figure = formatOf(locale, options).format(text).replace('-', '−');
  return isolated(known ? besideSymbol(figure, currency, locale) : `${figure} ${currency}`.trim());
}

/**
 * A figure with its currency where the language puts it. The figure keeps the signs
 * of plain figures: some languages have others for money, and what is shown could
 * not be typed.
 */
function besideSymbol(figure, currency, locale) {
  const value = figure.includes('−') ? -1 : 1; // some languages have a mark of direction before it
  const parts = formatOf(locale, { style: 'currency', currency, maximumFractionDigits: 0 }).formatToParts(value);
  const unsigned = figure.replace('−', '');
  return parts.map((p) => (p.type === 'integer' ? unsigned : p.type === 'minusSign' ? '−' : p.value)).join('');
}

const formats = new Map();

/** A format, made once: making one takes longer than using it a hundred times. */
function formatOf(locale, options) {
  const key = JSON.stringify([locale, options]);
  if (!formats.has(key)) {
    formats.set(key, new Intl.NumberFormat(locale, options));
  }
  return formats.get(key);
}

const usualDecimals = new Map();

/** How many decimals a currency of three letters usually has. */
function decimalsOf(currency) {
  if (!usualDecimals.has(currency)) {
    usualDecimals.set(currency, new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits);
  }
  return usualDecimals.get(currency);
}

function decimal(value) {
  const digits = String(value < 0n ? -value : value).padStart(maxDecimals + 1, '0');
  const fraction = digits.slice(-maxDecimals).replace(/0+$/, '');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -maxDecimals)}${fraction && `.${fraction}`}`;
}

/** An amount as it stands in a form: ungrouped, in the reader's digits and decimal sign. */
export function typedAmount(amount, locale = undefined) {
  if (amount === '') {
    return '';
  }
  const text = decimal(micros(amount));
  const least = text.includes('.') ? 2 : 0;
  return new Intl.NumberFormat(locale, { useGrouping: false, minimumFractionDigits: least, maximumFractionDigits: maxDecimals }).format(text);
}

/**
 * The amount that a person typed: { amount }, or { choices: [smaller, larger] } if
 * its one sign may be the decimal sign or group thousands and the language does
 * not say which, or {} if it is no number.
 */
export function readAmount(text, locale = undefined) {
  const signs = signsOf(locale);
  const plain = normalized(text, signs);
  if (!/^[\d.,]*\d[\d.,]*(;\d*)?$|^;\d+$/.test(plain)) {
    return {};
  }
  const [whole, fraction] = plain.split(';');
  if (fraction !== undefined) {
    return /^\d*$/.test(whole) || grouped(whole) ? number(whole, fraction) : {};
  }
  const [first, last] = [plain.search(/[.,]/), Math.max(plain.lastIndexOf('.'), plain.lastIndexOf(','))];
  if (first < 0) {
    return number(plain);
  }
  if (first < last) {
    return manySigns(plain, last);
  }
  return oneSign(plain, first, signs);
}

/** Several signs: the last may end the whole units if it is another than those before. */
function manySigns(text, last) {
  const [whole, fraction] = [text.slice(0, last), text.slice(last + 1)];
  if (!whole.includes(text[last]) && grouped(whole)) {
    return number(whole, fraction);
  }
  return grouped(text) ? number(text) : {};
}

/**
 * One sign: it can group thousands only if it follows one to three digits that do not begin
 * with 0, and exactly three come after it. Else it is the decimal sign.
 */
function oneSign(text, at, { decimals, groups }) {
  const [whole, fraction] = [text.slice(0, at), text.slice(at + 1)];
  const sign = text[at];
  if (!grouped(text) || decimals.has(sign)) {
    return number(whole, fraction);
  }
  if (groups.has(sign)) {
    return number(whole + fraction);
  }
  return { choices: [number(whole, fraction).amount, number(whole + fraction).amount] };
}

function number(whole, fraction = '') {
  return { amount: Number(`${whole.replace(/[.,]/g, '') || 0}.${fraction || 0}`) };
}

/** Reports whether text is digits in groups of thousands by one sign, Western or Indian. */
function grouped(text) {
  return /^[1-9]\d{0,2}([.,])\d{3}(\1\d{3})*$/.test(text) || /^[1-9]\d?([.,])(\d{2}\1)*\d{3}$/.test(text);
}

/**
 * Text with Latin digits, and without spaces, marks of direction and signs that can
 * only group. A sign that can only be a decimal sign becomes a semicolon.
 */
function normalized(text, { decimals, groups }) {
  return [...text].map((c) => {
    if (digitValues().has(c)) {
      return digitValues().get(c);
    }
    if (c === '.' || c === ',') {
      return c;
    }
    if (decimals.has(c) || c === '٫') {
      return ';';
    }
    return groups.has(c) || /[\s\p{Cf}'’_٬]/u.test(c) ? '' : c === ';' ? '?' : c;
  }).join('');
}

/** The signs by which a language ends whole units and groups thousands. */
function signsOf(locale) {
  const parts = new Intl.NumberFormat(locale, { minimumFractionDigits: 1 }).formatToParts(1234567.5);
  const signs = (type) => new Set(parts.filter((p) => p.type === type).map((p) => p.value));
  return { decimals: signs('decimal'), groups: signs('group') };
}

let values;

/** The digits of every numbering system that the browser knows, by character. */
function digitValues() {
  values ??= new Map(Intl.supportedValuesOf('numberingSystem').flatMap((numberingSystem) => {
    const format = new Intl.NumberFormat('en', { numberingSystem, useGrouping: false });
    return Array.from({ length: 10 }, (_, digit) => [format.format(digit), String(digit)]);
  }).filter(([shown]) => [...shown].length === 1));
  return values;
}

/** The same amount, in which no line ends: one may end after a minus that a symbol follows, but not at a word joiner. */
export function unbroken(amount) {
  return amount.replace(/−(?=\D)/, '−\u2060');
}
