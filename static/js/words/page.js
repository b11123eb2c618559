import * as catalogue from './en.js';

/**
 * The catalogue of the page. Another language is one file beside en.js with the same three
 * exports, and its name in the import above: the only place that names a language.
 */
export const words = catalogue.words;
export const language = catalogue.language;
export const direction = catalogue.direction;
