import { h, iconButton } from './dom.js';

/**
 * The message at the bottom of the page: announced to screen readers, and shown,
 * with an Undo button where there is one, until the next message or until it is
 * closed. It does not disappear by itself, since people read at different speeds.
 */
export class Toast {
  #announcer = h('p', { class: 'only-read', role: 'status' });
  #text = h('p', { role: 'status' });
  #actions = h('div', { class: 'toast-actions' });
  #box;
  #undo = null; // what Ctrl+Z does now

  constructor() {
    this.#box = h('section', { class: 'toast', hidden: true, aria: { label: 'Message' } }, this.#text, this.#actions);
    this.element = h('div', { class: 'toasts' }, this.#announcer, this.#box);
    document.addEventListener('keydown', (event) => this.#key(event));
  }

  /** Announces text to screen readers only, for what the page shows anyway. */
  announce(text) {
    this.#announcer.textContent = text;
  }

  /** Shows text, with an Undo button if undo is given. */
  show(text, undo = null) {
    this.#open(text, undo && ['Undo', undo]);
    this.#undo = undo;
  }

  /** Shows text with a button that leads to its subject. */
  showWithLink(text, label, go) {
    this.#open(text, [label, go]);
  }

  close() {
    this.#undo = null;
    this.#box.hidden = true;
    this.#text.textContent = '';
  }

  #open(text, action) {
    this.#undo = null;
    this.#box.hidden = false;
    this.#text.textContent = text;
    this.#actions.replaceChildren(...(action ? [this.#button(...action)] : []), iconButton('close', 'Close message', () => this.close()));
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
