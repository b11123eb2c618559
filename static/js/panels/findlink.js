import { h, setText } from '../dom.js';

/** A link to the entries that a filter finds, such as `{ category: 'food', month: '2026-11' }`. */
export function findLink(navigation) {
  let wanted = {};
  const element = h('a', { class: 'find-link', on: { click: (event) => follow(event) } });

  function follow(event) {
    if (!event.ctrlKey && !event.metaKey && !event.shiftKey) { // which open it elsewhere
      event.preventDefault();
      navigation.find(wanted);
    }
  }

  function show(name, filter) {
    wanted = filter;
    setText(element, name);
    element.href = navigation.addressOf(filter);
  }
  return { element, show };
}
