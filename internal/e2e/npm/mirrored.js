/**
 * Turns the English texts into those of a made-up language that is written from right to left
 * and needs more letters. Each text is longer by its doubled vowels, and turned round by a mark
 * of direction; values in it are as they were.
 */
module.exports = function mirrored({ words }) {
  const turned = (part) => `\u202e${part.replace(/[aeiou]/gi, '$&$&')}\u202c`;
  const partOf = (part) => (part.startsWith('{') || part.trim() === '' ? part : turned(part));
  const text = (t) => (typeof t === 'string' ? t.split(/(\{\w+\})/).map(partOf).join('') : every(t));
  const every = (texts) => Object.fromEntries(Object.entries(texts).map(([key, t]) => [key, text(t)]));
  return { language: 'ar', direction: 'rtl', words: every(words) };
};
