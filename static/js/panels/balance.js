import { h, setText, soon } from '../dom.js';
import { money } from '../numbers.js';

/** What is left, always in sight. */
export function mount({ balance }) {
  const first = h('span', { class: 'sum' });
  const others = h('span', { class: 'others' });
  const element = h('p', { class: 'balance' }, h('span', { class: 'label' }, 'Balance '), first, others);

  function render() {
    const [most, ...rest] = balance.sums().map((s) => money(s.balance, s.currency));
    setText(first, most);
    setText(others, rest.map((text) => ` · ${text}`).join(''));
    element.title = ['Balance', most, ...rest].join(' ');
    element.dataset.negative = balance.sums()[0].balance < 0n;
  }

  balance.addEventListener('change', soon(render));
  return { figure: element, render };
}
