import { h, setText } from '../dom.js';

/** Milliseconds that a change may wait before it is worth a word. */
const patience = 500;

const words = {
  live: 'Live',
  connecting: 'Connecting…',
  offline: 'Offline',
};

/** Whether the page hears the server, and how much waits for it. */
export function mount({ live, queue, sync, storage }) {
  const text = h('span', {});
  const chip = h('p', { class: 'status', role: 'status' }, h('span', { class: 'dot' }), text);
  let timer = null;

  function state() {
    if (live.connected) {
      return 'live';
    }
    return navigator.onLine && !live.failed && !sync.trouble ? 'connecting' : 'offline';
  }

  function render() {
    const waiting = queue.open().length;
    chip.dataset.state = state();
    chip.dataset.waiting = waiting > 0;
    setText(text, [words[state()], waiting > 0 && `${waiting} waiting`,
      !storage.durable && 'keep this page open: this browser saves nothing'].filter(Boolean).join(' · '));
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(render, patience);
  }

  live.addEventListener('state', () => (live.connected ? render() : later()));
  queue.addEventListener('change', later);
  sync.addEventListener('change', later);
  window.addEventListener('online', later);
  window.addEventListener('offline', render);
  return { header: chip, render };
}
