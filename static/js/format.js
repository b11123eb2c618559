import { direction } from './words/page.js';

/** `1 change`, `2 changes`. */
export function count(n, one, many = `${one}s`) {
  return `${n} ${n === 1 ? one : many}`;
}

/**
 * Wraps text that may be of another direction than the page in isolates, so that it is
 * not reordered with its neighbours.
 */
export function isolated(text) {
  const other = direction === 'rtl' || /[\u0590-\u08ff\u200e\u200f]/.test(text);
  return other && !text.startsWith('\u2068') ? `\u2068${text}\u2069` : text;
}

/** An error text of the server, such as `"name" is required`, as a sentence. */
export function sentence(text) {
  const plain = text.replace(/^"(\w+)"/, (_, field) => field[0].toUpperCase() + field.slice(1));
  return /[.!?]$/.test(plain) ? plain : `${plain}.`;
}
