/** `1 change`, `2 changes`. */
export function count(n, one, many = `${one}s`) {
  return `${n} ${n === 1 ? one : many}`;
}

/** A text of the contract, such as `"name" is required`, as a person would put it. */
export function sentence(text) {
  const plain = text.replace(/^"(\w+)"/, (_, field) => field[0].toUpperCase() + field.slice(1));
  return /[.!?]$/.test(plain) ? plain : `${plain}.`;
}
