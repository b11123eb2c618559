import { words } from './words/en.js';

/**
 * The texts of the page, by key, in the page's language. A text that depends on a
 * number is an object by plural category (`one`, `other`, and whatever else the
 * language has); `{name}` stands for a value.
 */
const plural = new Intl.PluralRules('en');
const number = new Intl.NumberFormat();

/**
 * The text under key, such as `entries.more`, with values in place of `{name}`.
 * `count` chooses the plural form; numbers are written as the reader's locale does.
 * An unknown key is an error, which the tests find.
 */
export function text(key, values = {}) {
  const found = words[key];
  if (found === undefined) {
    throw new Error(`no text under ${key}`);
  }
  const form = typeof found === 'string' ? found : found[plural.select(values.count)] ?? found.other;
  return form.replace(/\{(\w+)\}/g, (_, name) => shown(values[name]));
}

function shown(value) {
  return typeof value === 'number' ? number.format(value) : String(value);
}
