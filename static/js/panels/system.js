import { h, setText } from '../dom.js';

const words = {
  degraded: 'Not everything works at the moment.',
  shutting_down: 'The server restarts. What you change meanwhile is kept here.',
};

/** What the server says of itself while all is not well. */
export function mount({ live }) {
  const text = h('p', {});
  const banner = h('div', { class: 'banner', role: 'status' }, text);
  banner.dataset.status = 'ok';

  function show({ status, message }) {
    banner.dataset.status = status;
    setText(text, status in words ? [words[status], message].filter(Boolean).join(' ') : '');
  }

  live.listen('system:status', show);
  return { banner };
}
