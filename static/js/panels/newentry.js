import { h, icon, soon } from '../dom.js';
import { text } from '../text.js';
import { watchTyping } from '../typedtext.js';
import { ExpenseForm } from './expenseform.js';

/**
 * Adding an expense: a form beside the list on wide screens, a button that opens the
 * dialog on narrow ones. It puts into the context `addEntry`, which goes to the one
 * that is there, and `duplicate`, which opens the dialog with what a row has, as of today.
 */
export function mount(context) {
  const { actions, expenseList, editor, currency, currencies } = context;
  const form = new ExpenseForm({ label: text('form.add'), submit: added, currency, currencies, rows: () => expenseList.rows() });
  const open = (draft = {}, title = text('form.new')) => editor.open({ title, label: text('form.add'), draft, save: actions.add, another: text('form.addAnother') });
  const aside = h('section', { class: 'card entry', aria: { labelledby: 'entry-title' } },
    h('h2', { id: 'entry-title' }, text('form.new')), form.element);
  watchTyping(aside);

  function added(draft) {
    actions.add(draft);
    form.fill();
    form.focus();
  }

  context.addEntry = () => (aside.offsetParent ? form.focus() : open());
  context.duplicate = (row) => open(copyOf(row), text('form.copy', row));
  expenseList.addEventListener('change', soon(() => form.renew()));
  return {
    aside,
    floating: h('button', { type: 'button', class: 'primary add', on: { click: () => open() } }, icon('add'), h('span', {}, text('form.addEntry'))),
  };
}

// The fields of a row that a new expense like it has too.
function copyOf({ type, description, amount, category, currency, merchant, notes, tags }) {
  return Object.fromEntries(Object.entries({ type, description, amount, category, currency, merchant, notes, tags }).filter(([, value]) => value !== undefined));
}
