import { isolated } from './format.js';
import { direction, language, words } from './words/page.js';

/**
 * The texts of the page, by key, in the page's language. A text that depends on a
 * number is an object by plural category (`one`, `other`, and whatever else the
 * language has); `{name}` stands for a value. Values are isolated from the direction
 * of the text around them: a name or an amount of another script stays as it is.
 */
const plural = new Intl.PluralRules(language);
const number = new Intl.NumberFormat();
const conjunction = new Intl.ListFormat(language, { type: 'conjunction' });

/**
 * The text under key, such as `entries.more`, with values in place of `{name}`.
 * `count` chooses the plural form; numbers are written as the reader's locale does.
 * An unknown key is an error, which the tests find.
 */
export function text(key, values = {}) {
  return textParts(key, values).join('');
}

/** The parts of a text in their order, for children of an element: a value may be an element, such as a `<bdi>`. */
export function textParts(key, values = {}) {
  return formOf(key, values.count).split(/(\{\w+\})/).filter(Boolean)
    .map((part) => (part.startsWith('{') ? shown(values[part.slice(1, -1)]) : part));
}

/** Texts as a list in a sentence: `a, b, and c`. */
export function listed(texts) {
  return conjunction.format(texts.map((each) => isolated(each)));
}

/** Tells the browser the language of the page and its direction. */
export function applyLanguage(root = document.documentElement) {
  Object.assign(root, { lang: language, dir: direction });
}

function formOf(key, count) {
  const found = words[key];
  if (found === undefined) {
    throw new Error(`no text under ${key}`);
  }
  return typeof found === 'string' ? found : found[plural.select(count)] ?? found.other;
}

function shown(value) {
  if (typeof value === 'object' && value !== null) {
    return value;
  }
  return isolated(typeof value === 'number' ? number.format(value) : String(value));
}
