import { h } from './dom.js';
import { text } from './text.js';

let questions = 0;

/**
 * Asks in a dialog of its own; the answer is whether yes was pressed. The first
 * button keeps things as they are: it has the focus, and Escape means it too.
 */
export function ask({ title, explanation, yes, no }) {
  const id = `question-${++questions}`;
  const button = (kind, label, answer) => h('button', { type: 'button', class: kind, on: { click: () => dialog.close(answer) } }, label);
  const dialog = h('dialog', { class: 'question', aria: { labelledby: id } },
    h('div', { class: 'sheet' }, h('h2', { id }, title), h('p', {}, explanation),
      h('div', { class: 'buttons' }, button('plain', no, ''), button('primary', yes, 'yes'))));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
  });
}

/** Asks whether typed text may go. */
export function askDiscard() {
  return ask({
    title: text('discard.title'), explanation: text('discard.explanation'), yes: text('discard.yes'), no: text('discard.no'),
  });
}
