import { h, icon } from '../dom.js';
import { text } from '../text.js';

/** The button for signing out, with a question if changes are queued. */
export function mount({ queue, signOut }) {
  const out = h('button', { type: 'button', on: { click: ask } }, icon('leave'), h('span', {}, text('signout.do')));
  const waitingText = h('p', {});
  const dialog = h('dialog', { class: 'question', aria: { labelledby: 'leave-title' } },
    h('div', { class: 'sheet' },
      h('h2', { id: 'leave-title' }, text('signout.question')), waitingText,
      h('div', { class: 'buttons' },
        h('button', { type: 'button', class: 'plain', on: { click: () => dialog.close() } }, text('signout.stay')),
        h('button', { type: 'button', class: 'primary', on: { click: go } }, text('signout.do')))));

  // Asks only if changes are queued.
  function ask() {
    const waiting = queue.all().length;
    if (waiting === 0) {
      signOut();
      return;
    }
    waitingText.textContent = text('signout.waiting', { count: waiting });
    dialog.showModal();
  }

  function go() {
    dialog.close();
    signOut();
  }

  return { menu: out, overlay: dialog };
}
