import { h, iconButton } from './dom.js';
import { passing } from './passing.js';
import { text } from './text.js';

/** Milliseconds for which a message is shown, and one with a button. */
const shownFor = 10_000;
const shownWithButton = 20_000;

/**
 * The message at the bottom of the page: announced to screen readers, and shown,
 * with an Undo button where there is one, until the next message or until it is
 * closed. It goes by itself after a while, though not under the pointer or with the
 * focus in it; what went wrong stays.
 */
export class Toast {
  #announcer = h('p', { class: 'only-read', role: 'status' });
  #message = h('p', { role: 'status' });
  #actions = h('div', { class: 'toast-actions' });
  #box;
  #undo = null; // what Ctrl+Z does now
  #stay = () => {}; // has the message stay
  #before = null; // what had the focus before a button here got it

  constructor() {
    this.#box = h('section', { class: 'toast', hidden: true, aria: { label: text('toast.title') }, on: { focusin: (event) => this.#entered(event) } }, this.#message, this.#actions);
    this.element = h('div', { class: 'toasts' }, this.#announcer, this.#box);
    document.addEventListener('keydown', (event) => this.#key(event));
  }

  /** Announces a message to screen readers only, for what the page shows anyway. */
  announce(message) {
    this.#announcer.textContent = message;
  }

  /** Shows a message, with an Undo button if undo is given. */
  show(message, undo = null) {
    this.#open(message, undo && [text('toast.undo'), undo]);
    this.#undo = undo;
  }

  /** Shows what went wrong, until it is closed; with a button that leads to its subject, if there is one. */
  showFailure(message, label = '', go = null) {
    this.#open(message, go && [label, go]);
    this.#stay();
  }

  /** Shows a message with a button that leads to its subject; returns what hides it, unless another is shown by then. */
  showWithLink(message, label, go) {
    this.#open(message, [label, go]);
    return () => this.#message.textContent === message && this.close();
  }

  /** Whether a message is shown. */
  get isOpen() {
    return !this.#box.hidden;
  }

  /** Hides the message; a focus in it goes back to where it came from. */
  close() {
    this.#stay();
    this.#undo = null;
    if (this.#box.contains(document.activeElement)) {
      this.#before?.focus({ preventScroll: true });
    }
    this.#box.hidden = true;
    this.#message.textContent = '';
  }

  #entered({ relatedTarget }) {
    if (!this.#box.contains(relatedTarget)) {
      this.#before = relatedTarget;
    }
  }

  #open(message, action) {
    this.#stay();
    this.#stay = passing(action ? shownWithButton : shownFor, () => this.#box.matches(':hover, :focus-within'), () => this.close());
    this.#undo = null;
    this.#box.hidden = false;
    this.#message.textContent = message;
    this.#actions.replaceChildren(...(action ? [this.#button(...action)] : []), iconButton('close', text('toast.close'), () => this.close()));
  }

  #button(label, act) {
    return h('button', { type: 'button', class: 'link', on: { click: () => this.#act(act) } }, label);
  }

  #act(act) {
    this.close();
    act();
  }

  #key(event) {
    const writing = event.target.closest?.('input, textarea, select, dialog');
    if (this.#undo && !writing && event.key === 'z' && (event.ctrlKey || event.metaKey) && !event.shiftKey) {
      event.preventDefault();
      this.#act(this.#undo);
    }
  }
}
