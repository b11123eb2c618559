import { h, setText, soon } from '../dom.js';
import { money } from '../format.js';
import { totals } from '../totals.js';

/** What is left, and what came in and went out this month. */
export function mount({ book }) {
  const month = new Date().toLocaleDateString(undefined, { month: 'long' });
  const figures = {
    balance: figure('Balance', 'balance'),
    income: figure(`In, ${month}`, 'income'),
    spent: figure(`Out, ${month}`, 'spent'),
  };
  const list = h('dl', { class: 'figures' }, Object.values(figures).map((f) => f.element));

  function render() {
    const sums = totals(book.rows());
    Object.entries(figures).forEach(([name, f]) => setText(f.value, inWords(sums, name)));
    figures.balance.element.dataset.negative = sums.some((s) => s.balance < 0n);
  }

  book.addEventListener('change', soon(render));
  return { aside: h('section', { class: 'summary', aria: { label: 'Summary' } }, list), render };
}

function figure(label, kind) {
  const value = h('dd', {});
  return { value, element: h('div', { class: 'figure', data: { kind } }, h('dt', {}, label), value) };
}

// A currency that plays no part in a figure has no line in it.
function inWords(sums, name) {
  const parts = sums.filter((s) => s[name] !== 0n);
  return parts.length === 0 ? money(0n, sums[0]?.currency) : parts.map((s) => money(s[name], s.currency)).join('\n');
}
