import { connectionState } from '../connectionstate.js';
import { h, setText } from '../dom.js';
import { text } from '../text.js';

/** Milliseconds for which a change may be queued before it is shown. */
const patience = 500;

/** Whether the page is connected, and how many changes are queued. */
export function mount({ live, queue, sync, storage }) {
  const words = h('span', {});
  const chip = h('p', { class: 'status', role: 'status' }, h('span', { class: 'dot' }), words);
  let timer = null;

  function render() {
    const waiting = queue.pending().length;
    const state = connectionState({ live, sync });
    chip.dataset.state = state;
    chip.dataset.waiting = waiting > 0;
    setText(words, [text(`status.${state}`), waiting > 0 && text('status.waiting', { count: waiting }),
      !storage.durable && text('status.nothingkept')].filter(Boolean).join(' · '));
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
