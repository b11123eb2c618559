import { h, setAttribute, setText } from '../dom.js';
import { views as names } from '../views.js';

/** The way from one view to the other, with a word about the one that wants to be seen. */
export function mount({ views, budgets }) {
  const number = h('b', {});
  const word = h('span', {});
  const mark = h('span', { class: 'alerts', hidden: true }, number, word);
  const links = names.map(([view, name]) => h('a', { href: `#${view}` }, name));
  const element = h('nav', { class: 'views', aria: { label: 'Views' } }, links);
  links.at(-1).append(mark);

  function render() {
    names.forEach(([view], i) => setAttribute(links[i], 'aria-current', views.current === view && 'page'));
    mark.hidden = budgets.alerts === 0;
    setText(number, budgets.alerts > 0 ? String(budgets.alerts) : '');
    setText(word, budgets.alerts > 0 ? plural(budgets.alerts) : '');
  }

  views.addEventListener('change', render);
  budgets.addEventListener('change', render);
  return { nav: element, render };
}

function plural(n) {
  return n === 1 ? ' alert' : ' alerts';
}
