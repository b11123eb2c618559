/** What is wrong with an amount that was typed. */
export const amount = {
  'amount.ambiguous': 'That could be {less} or {more}. Write one of these.',
  'amount.alone': 'Enter the number alone, such as {example}. {place}',
  'amount.number': 'Enter a number, such as {example}.',
  'amount.toolarge': 'That is more than can be stored.',
};
