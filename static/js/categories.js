import { text } from './text.js';

/** The categories, in the order in which they are shown: [name, name on the page]. */
export const spending = [
  'food', 'transport', 'shopping', 'entertainment', 'bills', 'utilities', 'healthcare', 'education', 'travel', 'other',
].map(named);

export const earning = ['salary', 'freelance', 'investment'].map(named);

const names = new Map([...spending, ...earning]);

/** The name of a category on the page. */
export function categoryName(category) {
  return names.get(category) ?? category;
}

function named(category) {
  return [category, text(`category.${category}`)];
}
