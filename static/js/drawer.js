import { h } from './dom.js';
import { askDiscard } from './question.js';
import { guardTyping } from './typedtext.js';

const dismissals = new WeakMap(); // dialog to what closes it for a person

/**
 * A dialog that Escape and a click outside close too, but never over typed text
 * without asking. closed is called after it was closed, unless it was opened again
 * before the browser sent the event.
 */
export function drawer({ className, title, closed }, ...children) {
  const dialog = h('dialog', { class: className, aria: { labelledby: title }, on: { close: () => dialog.open || closed() } }, ...children);
  dismissals.set(dialog, guardTyping(dialog, askDiscard));
  return dialog;
}

/** Closes a drawer as its close button does: typed text is asked about first. Promises whether it closed. */
export function dismiss(dialog) {
  return dismissals.get(dialog)();
}

/** Closes the dialog on top in the same way, for the browser's Back: a question is answered as by Escape. Returns false if none is open. */
export function dismissTop() {
  const dialog = document.activeElement?.closest('dialog[open]') ?? [...document.querySelectorAll('dialog[open]')].at(-1);
  if (dialog) {
    dismissals.has(dialog) ? dismiss(dialog) : dialog.close('');
  }
  return Boolean(dialog);
}
