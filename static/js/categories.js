/** The categories, in the order in which they are shown. */
export const spending = [
  ['food', 'Food'],
  ['transport', 'Transport'],
  ['shopping', 'Shopping'],
  ['entertainment', 'Entertainment'],
  ['bills', 'Bills'],
  ['utilities', 'Utilities'],
  ['healthcare', 'Healthcare'],
  ['education', 'Education'],
  ['travel', 'Travel'],
  ['other', 'Other'],
];

export const earning = [
  ['salary', 'Salary'],
  ['freelance', 'Freelance'],
  ['investment', 'Investment'],
];

const names = new Map([...spending, ...earning]);

/** The name of a category on the page. */
export function categoryName(category) {
  return names.get(category) ?? category;
}
