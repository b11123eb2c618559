import { h, icon } from '../dom.js';
import { ExpenseForm } from './expenseform.js';

/**
 * Adding an expense: a form beside the list on wide screens, a button that opens the
 * dialog on narrow ones.
 */
export function mount({ actions, expenseList, editor, currency }) {
  const form = new ExpenseForm({ label: 'Add', submit: added, currency });
  const add = () => editor.open({ title: 'New entry', label: 'Add', save: actions.add });

  function added(draft) {
    actions.add(draft);
    form.fill();
    form.focus();
  }

  expenseList.addEventListener('change', () => form.renewDay());
  return {
    aside: h('section', { class: 'card entry', aria: { labelledby: 'entry-title' } },
      h('h2', { id: 'entry-title' }, 'New entry'), form.element),
    floating: h('button', { type: 'button', class: 'primary add', on: { click: add } }, icon('add'), h('span', {}, 'Add entry')),
  };
}
