import { h, icon } from '../dom.js';
import { count } from '../format.js';

/** The way out. */
export function mount({ queue, leave }) {
  const out = h('button', { type: 'button', class: 'plain small out', on: { click: ask } }, icon('leave'), h('span', {}, 'Sign out'));
  const text = h('p', {});
  const dialog = h('dialog', { class: 'question', aria: { labelledby: 'leave-title' } },
    h('div', { class: 'sheet' },
      h('h2', { id: 'leave-title' }, 'Sign out?'), text,
      h('div', { class: 'buttons' },
        h('button', { type: 'button', class: 'plain', on: { click: () => dialog.close() } }, 'Stay'),
        h('button', { type: 'button', class: 'primary', on: { click: go } }, 'Sign out'))));

  // Leaving with changes that wait is a surprise worth a question; otherwise not.
  function ask() {
    const waiting = queue.all().length;
    if (waiting === 0) {
      leave();
      return;
    }
    const them = waiting === 1 ? 'It stays' : 'They stay';
    text.textContent = `${count(waiting, 'change has', 'changes have')} not reached the server yet. `
      + `${them} in this browser and will be sent when you sign in again.`;
    dialog.showModal();
  }

  function go() {
    dialog.close();
    leave();
  }

  return { header: out, overlay: dialog };
}
