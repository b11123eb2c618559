import { h, icon } from '../dom.js';
import { askDiscard } from '../question.js';
import { text } from '../text.js';
import { hasTyped } from '../typedtext.js';

/** The button for signing out, with a question if changes are queued or something was typed and not saved. */
export function mount({ queue, signOut }) {
  const out = h('button', { type: 'button', on: { click: ask } }, icon('leave'), h('span', {}, text('signout.do')));
  const waitingText = h('p', {});
  const dialog = h('dialog', { class: 'question', aria: { labelledby: 'leave-title' } },
    h('div', { class: 'sheet' },
      h('h2', { id: 'leave-title' }, text('signout.question')), waitingText,
      h('div', { class: 'buttons' },
        h('button', { type: 'button', class: 'plain', on: { click: () => dialog.close() } }, text('signout.stay')),
        h('button', { type: 'button', class: 'primary', on: { click: go } }, text('signout.do')))));

  async function ask() {
    if (hasTyped(document.body) && !(await askDiscard())) {
      return;
    }
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
