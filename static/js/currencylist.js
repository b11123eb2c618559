import { h, setAttribute } from './dom.js';

let lists = 0;

/**
 * Offers the currencies of the server below a text field, which takes any other too: the list
 * that it returns belongs beside the field. They are asked for when somebody first goes there;
 * without an answer nothing is offered.
 */
export function currencyList(input, currencies) {
  const list = h('datalist', { id: `currencies-${++lists}` });
  const fill = (all) => list.replaceChildren(...all.map(({ code, name }) => h('option', { value: code }, name)));
  setAttribute(input, 'list', list.id);
  input.addEventListener('focus', () => list.childElementCount > 0 || currencies().then(fill, () => {}));
  return list;
}
