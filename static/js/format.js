/** `1 change`, `2 changes`. */
export function count(n, one, many = `${one}s`) {
  return `${n} ${n === 1 ? one : many}`;
}

/**
 * A figure or date of a language that is written from right to left, kept apart from
 * what stands beside it on the page: else their parts trade places.
 */
export function isolated(text) {
  return /[\u0590-\u08ff\u200e\u200f]/.test(text) ? `\u2068${text}\u2069` : text;
}

/** A text of the contract, such as `"name" is required`, as a person would put it. */
export function sentence(text) {
  const plain = text.replace(/^"(\w+)"/, (_, field) => field[0].toUpperCase() + field.slice(1));
  return /[.!?]$/.test(plain) ? plain : `${plain}.`;
}
