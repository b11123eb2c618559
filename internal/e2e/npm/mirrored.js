/**
 * Stands in for js/words/en.js in a test: the English texts as a language that is written from
 * right to left and needs more letters would have them. Each is longer by its doubled vowels,
 * and turned round by a mark of direction; values in it are as they were.
 */
import { words as english } from '/js/words/en.js?english';

export const language = 'ar';
export const direction = 'rtl';
export const words = Object.fromEntries(Object.entries(english).map(([key, text]) => [key, mirrored(text)]));

function mirrored(text) {
  return typeof text === 'string'
    ? text.split(/(\{\w+\})/).map((part) => (part.startsWith('{') || part.trim() === '' ? part : turned(part))).join('')
    : Object.fromEntries(Object.entries(text).map(([form, each]) => [form, mirrored(each)]));
}

function turned(part) {
  return `\u202e${part.replace(/[aeiou]/gi, '$&$&')}\u202c`;
}
