import { h, setText } from '../dom.js';

/** Milliseconds for which a change may be queued before it is shown. */
const patience = 500;

const labels = {
  live: 'Live',
  connecting: 'Connecting…',
  offline: 'Offline',
};

/** Whether the page is connected, and how many changes are queued. */
export function mount({ live, queue, sync, storage }) {
  const text = h('span', {});
  const chip = h('p', { class: 'status', role: 'status' }, h('span', { class: 'dot' }), text);
  let timer = null;

  function state() {
    if (live.connected) {
      return 'live';
    }
    return navigator.onLine && !live.failed && !sync.error ? 'connecting' : 'offline';
  }

  function render() {
    const waiting = queue.pending().length;
    chip.dataset.state = state();
    chip.dataset.waiting = waiting > 0;
    setText(text, [labels[state()], waiting > 0 && `${waiting} waiting`,
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
