import { alertFigures } from '../budgets.js';
import { moment } from '../days.js';
import { arrange, drawer, h, icon, iconButton, setText, soon } from '../dom.js';
import { sentence } from '../format.js';

/** What the server told this person: a bell that counts, and the list behind it. */
export function mount({ notices, sumCurrency }) {
  const number = h('span', { class: 'count', hidden: true });
  const bell = h('button', { type: 'button', class: 'icon-button bell', on: { click: open } }, icon('bell'), number);
  const title = h('h2', { id: 'notices-title', tabIndex: -1 }, 'Notifications');
  const unread = h('p', { class: 'hint', role: 'status' });
  const all = h('button', { type: 'button', class: 'plain small', on: { click: markAll } }, 'Mark all read');
  const list = h('ul', { class: 'notices' });
  const note = h('p', { class: 'empty', hidden: true });
  const more = h('button', { type: 'button', class: 'plain small more', hidden: true, on: { click: older } }, 'Show older');
  const items = new Map();
  const dialog = drawer({ look: 'drawer', title: 'notices-title', closed: () => notices.look(false) },
    h('div', { class: 'sheet' },
      h('header', {}, title, iconButton('close', 'Close', () => dialog.close())),
      h('div', { class: 'notices-tools' }, unread, all), note, list, more));

  function render() {
    const label = notices.unread > 0 ? `Notifications, ${notices.unread} unread` : 'Notifications';
    bell.title = label;
    bell.setAttribute('aria-label', label);
    number.hidden = notices.unread === 0;
    setText(number, notices.unread > 99 ? '99+' : String(notices.unread));
    setText(unread, notices.unread > 0 ? `${notices.unread} unread` : 'All read');
    all.hidden = notices.unread === 0;
    renderList();
  }

  function renderList() {
    setText(note, noteText());
    note.hidden = notices.list.length > 0;
    more.hidden = !notices.more;
    items.forEach((_, id) => notices.list.some((n) => n.id === id) || items.delete(id));
    arrange(list, notices.list.map(item));
  }

  function noteText() {
    if (notices.trouble) {
      return 'The notifications cannot be loaded now.';
    }
    return notices.loaded ? 'Nothing yet. You are told here when a budget runs out.' : 'Loading…';
  }

  function item(notification) {
    if (!items.has(notification.id)) {
      items.set(notification.id, noticeItem(notification.id, { read, remove }));
    }
    const { element, show } = items.get(notification.id);
    show(notification, sumCurrency());
    return element;
  }

  function open() {
    dialog.showModal();
    title.focus();
    notices.look(true);
  }

  // What has the focus may vanish by what is done; the nearest that stays gets it.
  async function act(work, next) {
    try {
      await work();
      (next?.() ?? title).focus();
    } catch (err) {
      setText(unread, sentence(err.message));
    }
  }

  function read({ id }) {
    return act(() => notices.markRead(id), () => items.get(id)?.element.querySelector('button:not([hidden])'));
  }

  function remove({ id }) {
    const { element } = items.get(id);
    const near = element.nextElementSibling ?? element.previousElementSibling;
    return act(() => notices.remove(id), () => near?.querySelector('button:not([hidden])'));
  }

  function markAll() {
    return act(() => notices.markAllRead());
  }

  async function older() {
    const known = notices.list.length;
    await notices.older();
    list.children[known]?.querySelector('button:not([hidden])').focus();
  }

  notices.addEventListener('change', soon(render));
  return { header: bell, overlay: dialog, render };
}

function noticeItem(id, { read, remove }) {
  let shown;
  const mark = h('span', { class: 'new' }, 'New');
  const title = h('h3', {});
  const message = h('p', { class: 'message' });
  const when = h('p', { class: 'hint' });
  const readButton = h('button', { type: 'button', class: 'link', on: { click: () => read(shown) } }, 'Mark read');
  const removeButton = h('button', { type: 'button', class: 'link', on: { click: () => remove(shown) } }, 'Delete');
  const element = h('li', { class: 'told', data: { id } },
    h('div', { class: 'told-title' }, mark, title), message, h('div', { class: 'told-foot' }, when, readButton, removeButton));
  return {
    element,
    show(notification, currency) {
      shown = notification;
      const { title: text, timestamp, read: isRead, priority } = notification;
      element.dataset.priority = priority;
      element.dataset.read = isRead;
      mark.hidden = isRead;
      readButton.hidden = isRead;
      setText(title, text);
      setText(message, messageOf(notification, currency));
      setText(when, moment(timestamp));
      readButton.setAttribute('aria-label', `Mark read: ${text}, ${moment(timestamp)}`);
      removeButton.setAttribute('aria-label', `Delete: ${text}, ${moment(timestamp)}`);
    },
  };
}

// The server's words know no currency; of what it tells in figures, ours do.
function messageOf({ type, data, message }, currency) {
  return type === 'budget_alert' && data?.budgetName ? `${alertFigures(data, currency)}.` : message;
}
