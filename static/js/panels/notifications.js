import { alertFigures } from '../budgets.js';
import { moment } from '../days.js';
import { arrange, drawer, h, icon, iconButton, setText, soon } from '../dom.js';
import { sentence } from '../format.js';

/** Notifications: a bell with the unread count, and the list that it opens. */
export function mount({ notifications, sumCurrency }) {
  const number = h('span', { class: 'count', hidden: true });
  const bell = h('button', { type: 'button', class: 'icon-button bell', on: { click: open } }, icon('bell'), number);
  const title = h('h2', { id: 'notifications-title', tabIndex: -1 }, 'Notifications');
  const unread = h('p', { class: 'hint', role: 'status' });
  const all = h('button', { type: 'button', class: 'plain small', on: { click: markAll } }, 'Mark all read');
  const list = h('ul', { class: 'notifications' });
  const note = h('p', { class: 'empty', hidden: true });
  const more = h('button', { type: 'button', class: 'plain small more', hidden: true, on: { click: older } }, 'Show older');
  const items = new Map();
  const dialog = drawer({ className: 'drawer', title: 'notifications-title', closed: () => notifications.setOpen(false) },
    h('div', { class: 'sheet' },
      h('header', {}, title, iconButton('close', 'Close', () => dialog.close())),
      h('div', { class: 'notifications-tools' }, unread, all), note, list, more));

  function render() {
    const label = notifications.unread > 0 ? `Notifications, ${notifications.unread} unread` : 'Notifications';
    bell.title = label;
    bell.setAttribute('aria-label', label);
    number.hidden = notifications.unread === 0;
    setText(number, notifications.unread > 99 ? '99+' : String(notifications.unread));
    setText(unread, notifications.unread > 0 ? `${notifications.unread} unread` : 'All read');
    all.hidden = notifications.unread === 0;
    renderList();
  }

  function renderList() {
    setText(note, noteText());
    note.hidden = notifications.list.length > 0;
    more.hidden = !notifications.more;
    items.forEach((_, id) => notifications.list.some((n) => n.id === id) || items.delete(id));
    arrange(list, notifications.list.map(item));
  }

  function noteText() {
    if (notifications.error) {
      return 'The notifications cannot be loaded now.';
    }
    return notifications.loaded ? 'Nothing yet. You are told here when a budget runs out.' : 'Loading…';
  }

  function item(notification) {
    if (!items.has(notification.id)) {
      items.set(notification.id, notificationItem(notification.id, { read, remove }));
    }
    const { element, show } = items.get(notification.id);
    show(notification, sumCurrency());
    return element;
  }

  function open() {
    dialog.showModal();
    title.focus();
    notifications.setOpen(true);
  }

  // The focused button may be removed; then the nearest remaining one takes the focus.
  async function act(work, next) {
    try {
      await work();
      (next?.() ?? title).focus();
    } catch (err) {
      setText(unread, sentence(err.message));
    }
  }

  function read({ id }) {
    return act(() => notifications.markRead(id), () => items.get(id)?.element.querySelector('button:not([hidden])'));
  }

  function remove({ id }) {
    const { element } = items.get(id);
    const near = element.nextElementSibling ?? element.previousElementSibling;
    return act(() => notifications.remove(id), () => near?.querySelector('button:not([hidden])'));
  }

  function markAll() {
    return act(() => notifications.markAllRead());
  }

  async function older() {
    const known = notifications.list.length;
    await notifications.loadOlder();
    list.children[known]?.querySelector('button:not([hidden])').focus();
  }

  notifications.addEventListener('change', soon(render));
  return { header: bell, overlay: dialog, render };
}

function notificationItem(id, { read, remove }) {
  let shown;
  const mark = h('span', { class: 'new' }, 'New');
  const title = h('h3', {});
  const message = h('p', { class: 'message' });
  const when = h('p', { class: 'hint' });
  const readButton = h('button', { type: 'button', class: 'link', on: { click: () => read(shown) } }, 'Mark read');
  const removeButton = h('button', { type: 'button', class: 'link', on: { click: () => remove(shown) } }, 'Delete');
  const element = h('li', { class: 'notification', data: { id } },
    h('div', { class: 'notification-title' }, mark, title), message, h('div', { class: 'notification-foot' }, when, readButton, removeButton));
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

// The server's text has no currency; budget alerts are written here, with it.
function messageOf({ type, data, message }, currency) {
  return type === 'budget_alert' && data?.budgetName ? `${alertFigures(data, currency)}.` : message;
}
