import { moment } from '../days.js';
import { h, setText, soon } from '../dom.js';
import { money, unknown } from '../numbers.js';
import { text } from '../text.js';

/** What is left, always in sight. */
export function mount({ balance }) {
  const first = h('span', { class: 'sum' });
  const others = h('span', { class: 'others' });
  const element = h('p', { class: 'balance' }, h('span', { class: 'label' }, `${text('figures.balance')} `), first, others);

  function render() {
    const [most, ...rest] = balance.known ? balance.sums().map((s) => money(s.balance, s.currency)) : [unknown];
    setText(first, most);
    setText(others, rest.map((sum) => ` · ${sum}`).join(''));
    element.title = [text('figures.balance'), most, ...rest, ...asOf(balance)].join(' ');
    element.dataset.negative = balance.known && balance.sums()[0].balance < 0n;
  }

  balance.addEventListener('change', soon(render));
  return { figure: element, render };
}

function asOf({ asOf: at }) {
  return at === null ? [] : [`(${text('figures.asOf', { moment: moment(at) })})`];
}
