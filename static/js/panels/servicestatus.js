import { h, setText } from '../dom.js';

const texts = {
  degraded: 'Not everything works at the moment.',
  shutting_down: 'The server restarts. What you change meanwhile is kept here.',
};

/** A banner with the server's status while it is not ok. */
export function mount({ live }) {
  const text = h('p', {});
  const banner = h('div', { class: 'banner', role: 'status' }, text);
  banner.dataset.status = 'ok';

  function show({ status, message }) {
    banner.dataset.status = status;
    setText(text, status in texts ? [texts[status], message].filter(Boolean).join(' ') : '');
  }

  live.listen('system:status', show);
  return { banner };
}
