import { h } from '../dom.js';
import { sentence } from '../format.js';
import { text } from '../text.js';
import { Fields } from './fields.js';

/** The part of the account dialog that signs out everywhere and deletes the account; clear folds both up. */
export function accountEnd({ queue, signOutEverywhere, removeAccount }) {
  const everywhere = folded(text('account.everywhere'), leaving({ queue, signOutEverywhere }));
  const deletion = folded(text('account.delete'), deleting(removeAccount));
  return {
    element: h('section', { class: 'ends', aria: { label: text('account.end.title') } }, everywhere.element, deletion.element),
    clear: () => [everywhere, deletion].forEach((one) => one.fold()),
  };
}

/** A button that shows and hides a form, which must be confirmed in a second step. */
function folded(name, { form, shown }) {
  const open = h('button', { type: 'button', class: 'link', aria: { expanded: 'false' }, on: { click: () => show(form.hidden) } }, name);
  const show = (on) => {
    form.hidden = !on;
    open.setAttribute('aria-expanded', String(on));
    on && shown();
  };
  return { element: h('div', {}, open, form), fold: () => show(false) };
}

function leaving({ queue, signOutEverywhere }) {
  const waiting = h('p', { class: 'hint' });
  const error = h('p', { class: 'error', role: 'alert' });
  const confirm = h('button', { type: 'submit', class: 'plain small' }, text('account.everywhere.confirm'));
  const submitted = async (event) => {
    event.preventDefault();
    await signOutEverywhere().catch((err) => { error.textContent = sentence(err.message); });
  };
  const form = h('form', { hidden: true, on: { submit: submitted } },
    h('p', { class: 'hint' }, text('account.everywhere.hint')), waiting, error, h('div', { class: 'buttons' }, confirm));
  const shown = () => {
    const count = queue.all().length;
    waiting.hidden = count === 0;
    waiting.textContent = text('account.everywhere.waiting', { count });
    error.textContent = '';
    confirm.focus();
  };
  return { form, shown };
}

function deleting(removeAccount) {
  const fields = new Fields('delete');
  const submitted = async (event) => {
    event.preventDefault();
    if (fields.refuse(fields.get('password').value ? {} : { password: text('account.delete.missing') })) {
      return;
    }
    try {
      await removeAccount(fields.get('password').value);
    } catch (err) {
      fields.mark('password', sentence(err.message));
      fields.get('password').focus();
    }
  };
  const form = h('form', { noValidate: true, hidden: true, on: { submit: submitted } },
    h('p', { class: 'hint' }, text('account.delete.hint')),
    fields.add('password', text('account.delete.password'), h('input', { type: 'password', autocomplete: 'current-password' })),
    h('div', { class: 'buttons' }, h('button', { type: 'submit', class: 'plain small' }, text('account.delete.confirm'))));
  return { form, shown: () => fields.get('password').focus() };
}
