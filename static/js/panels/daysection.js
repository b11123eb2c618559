import { dayTitle, shift, today } from '../days.js';
import { h, icon, setText } from '../dom.js';
import { money } from '../numbers.js';
import { text } from '../text.js';
import { net } from '../totals.js';

/**
 * The element of a group of the list (listgroups.js): its heading with its sums, and
 * the list for its rows. home gives the account's currency, isKnown says whether all
 * entries from a day on are here; turn shows upcoming entries, or hides them.
 */
export function daySection({ home, isKnown, turn }) {
  let shown;
  const title = h('span', {});
  const toggle = h('button', { type: 'button', class: 'fold', on: { click: () => turn(!shown.open) } }, icon('later'), h('span', {}));
  const sum = h('span', { class: 'sum' });
  const list = h('ul', {});
  const element = h('section', { class: 'day' }, h('h3', {}, title, toggle, sum), list);

  function show(group) {
    const { day, all, rows, open } = group;
    const known = isKnown(day ?? shift(today(), 1));
    shown = group;
    title.hidden = !day;
    toggle.hidden = Boolean(day);
    setText(title, day ? dayTitle(day) : '');
    if (!day) {
      toggle.setAttribute('aria-expanded', open);
      setText(toggle.lastChild, known ? text('find.upcoming', { count: all.length }) : text('find.upcomingSome'));
    }
    setText(sum, known ? sumOf(group, home) : '');
    list.hidden = rows.length === 0;
  }
  return { element, list, show };
}

const sums = new WeakMap(); // of groups, whose sections come and go while one scrolls

function sumOf(group, home) {
  if (!sums.has(group)) {
    sums.set(group, net(group.all, home()).map(({ balance, currency }) => money(balance, currency)).join(' · '));
  }
  return sums.get(group);
}
