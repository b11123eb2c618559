import { entries } from './en/entries.js';

/** The English texts of the page, by key. Each file below en/ has those of one part. */
export const words = { ...entries };
