import { h, setText, soon } from '../dom.js';
import { money } from '../numbers.js';
import { totals } from '../totals.js';

/** What came in and went out this month. What is left stands in the header. */
export function mount({ book }) {
  const month = new Date().toLocaleDateString(undefined, { month: 'long' });
  const figures = {
    income: figure(`In, ${month}`, 'income'),
    spent: figure(`Out, ${month}`, 'spent'),
  };
  const list = h('dl', { class: 'figures' }, Object.values(figures).map((f) => f.element));

  function render() {
    const sums = totals(book.rows());
    Object.entries(figures).forEach(([name, f]) => setText(f.value, inWords(sums, name)));
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
