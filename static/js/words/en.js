import { entries } from './en/entries.js';
import { frame } from './en/frame.js';

/** The English texts of the page, by key. Each file below en/ has those of one part. */
export const words = {
  ...entries,
  ...frame,
};
