import { largestAmount, readAmount, typedAmount } from '../numbers.js';

/**
 * The error of a typed amount, or ''. An amount that could be read in two ways, a
 * thousand apart, is refused with both. place says where a currency goes.
 */
export function amountFault(text, { enough, tooLittle, example, place = '' }) {
  const { amount, choices } = readAmount(text);
  if (choices) {
    const [less, more] = choices.map((c) => typedAmount(c));
    return `That could be ${less} or ${more}: write it like one of these.`;
  }
  if (amount === undefined && /[\p{Sc}\p{L}]/u.test(text)) {
    return `Enter the number alone, such as ${typedAmount(example)}. ${place}`.trim();
  }
  if (amount === undefined) {
    return `Enter a number, such as ${typedAmount(example)}.`;
  }
  if (!enough(amount)) {
    return tooLittle;
  }
  return amount > largestAmount ? 'That is more than can be kept.' : '';
}
