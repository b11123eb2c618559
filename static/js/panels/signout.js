import { h, icon } from '../dom.js';
import { count } from '../format.js';

/** The button for signing out, with a question if changes are queued. */
export function mount({ queue, signOut }) {
  const out = h('button', { type: 'button', on: { click: ask } }, icon('leave'), h('span', {}, 'Sign out'));
  const text = h('p', {});
  const dialog = h('dialog', { class: 'question', aria: { labelledby: 'leave-title' } },
    h('div', { class: 'sheet' },
      h('h2', { id: 'leave-title' }, 'Sign out?'), text,
      h('div', { class: 'buttons' },
        h('button', { type: 'button', class: 'plain', on: { click: () => dialog.close() } }, 'Stay'),
        h('button', { type: 'button', class: 'primary', on: { click: go } }, 'Sign out'))));

  // Asks only if changes are queued.
  function ask() {
    const waiting = queue.all().length;
    if (waiting === 0) {
      signOut();
      return;
    }
    const them = waiting === 1 ? 'It stays' : 'They stay';
    text.textContent = `${count(waiting, 'change has', 'changes have')} not reached the server yet. `
      + `${them} in this browser and will be sent when you sign in again.`;
    dialog.showModal();
  }

  function go() {
    dialog.close();
    signOut();
  }

  return { menu: out, overlay: dialog };
}
