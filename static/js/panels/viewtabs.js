import { viewNames, writeAddress } from '../address.js';
import { h, icon, setAttribute } from '../dom.js';
import { text, textParts } from '../text.js';

/** The tabs of the views; the overview's shows the number of budget alerts. */
export function mount({ navigation, budgets }) {
  const mark = h('span', { class: 'alerts', hidden: true });
  const links = viewNames.map((view) => h('a', { href: `#${view}` }, icon(view), text(`frame.${view}`)));
  const element = h('nav', { class: 'views', aria: { label: text('frame.views') } }, links);
  links.at(-1).append(mark);

  function render() {
    viewNames.forEach((view, i) => {
      links[i].href = writeAddress({ ...navigation.place, view });
      setAttribute(links[i], 'aria-current', navigation.current === view && 'page');
    });
    mark.hidden = budgets.alerts === 0;
    mark.replaceChildren(...(budgets.alerts > 0 ? alertsText(budgets.alerts) : []));
  }

  navigation.addEventListener('change', render);
  budgets.addEventListener('change', render);
  return { nav: element, render };
}

// Where there is no room for words, the number alone is shown.
function alertsText(count) {
  return textParts('frame.alerts', { count, number: h('b', {}, text('frame.number', { count })) });
}
