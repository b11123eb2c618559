import { largestAmount, readAmount, typedAmount } from '../numbers.js';
import { text } from '../text.js';

/**
 * The error of a typed amount, or ''. An amount that could be read in two ways, a
 * thousand apart, is refused with both. place says where a currency goes.
 */
export function amountFault(typed, { enough, tooLittle, example, place = '' }) {
  const { amount, choices } = readAmount(typed);
  if (choices) {
    const [less, more] = choices.map((c) => typedAmount(c));
    return text('amount.ambiguous', { less, more });
  }
  if (amount === undefined && /[\p{Sc}\p{L}]/u.test(typed)) {
    return text('amount.alone', { example: typedAmount(example), place }).trim();
  }
  if (amount === undefined) {
    return text('amount.number', { example: typedAmount(example) });
  }
  if (!enough(amount)) {
    return tooLittle;
  }
  return amount > largestAmount ? text('amount.toolarge') : '';
}
