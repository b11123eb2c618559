import { writeAddress } from '../address.js';
import { h, icon, setAttribute, setText } from '../dom.js';
import { views } from '../navigation.js';

/** The tabs of the views; the overview's shows the number of budget alerts. */
export function mount({ navigation, budgets }) {
  const number = h('b', {});
  const label = h('span', {});
  const mark = h('span', { class: 'alerts', hidden: true }, number, label);
  const links = views.map(([view, name]) => h('a', { href: `#${view}` }, icon(view), name));
  const element = h('nav', { class: 'views', aria: { label: 'Views' } }, links);
  links.at(-1).append(mark);

  function render() {
    views.forEach(([view], i) => {
      links[i].href = writeAddress({ ...navigation.place, view });
      setAttribute(links[i], 'aria-current', navigation.current === view && 'page');
    });
    mark.hidden = budgets.alerts === 0;
    setText(number, budgets.alerts > 0 ? String(budgets.alerts) : '');
    setText(label, budgets.alerts > 0 ? plural(budgets.alerts) : '');
  }

  navigation.addEventListener('change', render);
  budgets.addEventListener('change', render);
  return { nav: element, render };
}

function plural(n) {
  return n === 1 ? ' alert' : ' alerts';
}
