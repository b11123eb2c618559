import { h, setText } from '../dom.js';
import { text } from '../text.js';

const told = ['degraded', 'shutting_down'];

/** A banner with the server's status while it is not ok. */
export function mount({ live }) {
  const words = h('p', {});
  const banner = h('div', { class: 'banner', role: 'status' }, words);
  banner.dataset.status = 'ok';

  function show({ status, message }) {
    banner.dataset.status = status;
    setText(words, told.includes(status) ? text(`status.${status}`, { message: message ?? '' }).trim() : '');
  }

  live.listen('system:status', show);
  return { banner };
}
