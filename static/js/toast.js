import { h, iconButton } from './dom.js';

/**
 * The one place where the page says what just happened: read out at once, and
 * shown with a way back until the next message or until it is closed. Nothing
 * disappears by itself, for reading takes as long as it takes.
 */
export class Toast {
  #quiet = h('p', { class: 'only-read', role: 'status' });
  #text = h('p', { role: 'status' });
  #actions = h('div', { class: 'toast-actions' });
  #box;
  #undo = null; // what Ctrl+Z does now

  constructor() {
    this.#box = h('section', { class: 'toast', hidden: true, aria: { label: 'Message' } }, this.#text, this.#actions);
    this.element = h('div', { class: 'toasts' }, this.#quiet, this.#box);
    document.addEventListener('keydown', (event) => this.#key(event));
  }

  /** Reads text out and shows nothing: the page shows it already. */
  whisper(text) {
    this.#quiet.textContent = text;
  }

  /** Shows text, with a button that takes it back if there is a way. */
  say(text, undo = null) {
    this.#show(text, undo && ['Undo', undo]);
    this.#undo = undo;
  }

  /** Shows text with a button that leads to what it is about. */
  point(text, label, go) {
    this.#show(text, [label, go]);
  }

  close() {
    this.#undo = null;
    this.#box.hidden = true;
    this.#text.textContent = '';
  }

  #show(text, action) {
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
