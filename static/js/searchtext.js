import { inSlices } from './slices.js';

/**
 * Texts as they are searched: in lower case and without accents, so that
 * "cafe" finds "Café". Rows are never changed, only replaced, so what a row says is
 * folded once.
 */
const foldedRows = new WeakMap();

/** Letters that Unicode does not take apart into a letter and an accent. */
const plainLetters = { ß: 'ss', ø: 'o', ł: 'l', đ: 'd', ð: 'd', þ: 'th', æ: 'ae', œ: 'oe', ı: 'i' };

/** Text in lower case and without accents. */
export function fold(text) {
  const lower = text.toLowerCase();
  if (/^[\x00-\x7f]*$/.test(lower)) {
    return lower;
  }
  return lower.normalize('NFKD').replace(/\p{M}/gu, '').replace(/[ßøłđðþæœı]/g, (letter) => plainLetters[letter]);
}

/** What a row is found by: its description, merchant, notes and tags, a tag as `#tag`. */
export function textOfRow(row) {
  let text = foldedRows.get(row);
  if (text === undefined) {
    text = fold([row.description, row.merchant, row.notes, ...(row.tags ?? []).map((tag) => `#${tag}`)].filter(Boolean).join('\n'));
    foldedRows.set(row, text);
  }
  return text;
}

/** The words of a search, folded. A row is found if it has each of them somewhere. */
export function wordsOf(search) {
  return fold(search).split(/\s+/).filter(Boolean);
}

/** Folds rows beforehand, so that the first letter of a search is answered at once. */
export function prepareSearch(rows, next) {
  inSlices(rows, (some) => some.forEach(textOfRow), undefined, next);
}
