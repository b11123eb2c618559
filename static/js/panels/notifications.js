import { alertFigures } from '../budgets.js';
import { moment } from '../days.js';
import { deedText, deedTitle, isDeed, opens } from '../deeds.js';
import { arrange, h, icon, iconButton, setText, soon } from '../dom.js';
import { drawer } from '../drawer.js';
import { sentence } from '../format.js';
import { mayEdit } from '../permissions.js';
import { text } from '../text.js';

/** Notifications: a bell with the unread count, and the list that it opens. */
export function mount(context) {
  const { notifications, expenseList, sumCurrency } = context;
  const number = h('span', { class: 'count', hidden: true });
  const bell = h('button', { type: 'button', class: 'icon-button bell', on: { click: open } }, icon('bell'), number);
  const title = h('h2', { id: 'notifications-title', tabIndex: -1 }, text('notifications.title'));
  const unread = h('p', { class: 'hint', role: 'status' });
  const all = h('button', { type: 'button', class: 'plain small', on: { click: markAll } }, text('notifications.read.all'));
  const list = h('ul', { class: 'notifications' });
  const note = h('p', { class: 'empty', hidden: true });
  const more = h('button', { type: 'button', class: 'plain small more', hidden: true, on: { click: older } }, text('notifications.older'));
  const items = new Map();
  const dialog = drawer({ className: 'drawer', title: 'notifications-title', closed: () => notifications.setOpen(false) },
    h('div', { class: 'sheet' },
      h('header', {}, title, iconButton('close', text('notifications.close'), () => dialog.close())),
      h('div', { class: 'notifications-tools' }, unread, all), note, list, more));

  function render() {
    const count = notifications.unread;
    const label = count > 0 ? text('notifications.label', { count }) : text('notifications.title');
    bell.title = label;
    bell.setAttribute('aria-label', label);
    number.hidden = count === 0;
    setText(number, count > 99 ? '99+' : text('frame.number', { count }));
    setText(unread, count > 0 ? text('notifications.unread', { count }) : known() ? text('notifications.all.read') : '');
    all.hidden = count === 0;
    renderList();
  }

  function renderList() {
    setText(note, noteText());
    note.hidden = notifications.list.length > 0;
    more.hidden = !notifications.more;
    items.forEach((_, id) => notifications.list.some((n) => n.id === id) || items.delete(id));
    arrange(list, notifications.list.map(item));
  }

  function known() {
    return notifications.loaded && !notifications.error;
  }

  function noteText() {
    if (notifications.error) {
      return text('notifications.failed');
    }
    return notifications.loaded ? text('notifications.none') : text('notifications.loading');
  }

  function item(notification) {
    if (!items.has(notification.id)) {
      items.set(notification.id, notificationItem(notification.id, { read, remove, go }));
    }
    const { element, show } = items.get(notification.id);
    show(notification, shownOf(notification));
    return element;
  }

  function shownOf(notification) {
    if (!isDeed(notification)) {
      return { title: notification.title, message: messageOf(notification, sumCurrency()), lead: null };
    }
    const row = rowOf(notification);
    const around = surroundings(notification, row);
    const where = opens(notification, around);
    return { title: deedTitle(notification), message: deedText(notification, row, around.isAnswered), lead: where && (where === 'invitations' ? 'answer' : 'open') };
  }

  function rowOf({ data }) {
    return expenseList.rows().find((row) => row.id === data.expenseId);
  }

  function surroundings({ type, data }, row) {
    const { invitations } = context;
    const invited = invitations.waiting.some((i) => i.expenseId === data.expenseId);
    const isAnswered = type === 'invitation_received' && Boolean(data.expenseId) && invitations.loaded && !invited;
    return { row, loaded: expenseList.loaded, invited, isAnswered, mayEdit };
  }

  function open() {
    dialog.showModal();
    title.focus();
    notifications.setOpen(true);
  }

  /** Opens what a notification is about, or says why it cannot. Either way it is read then. */
  async function go(notification) {
    const row = rowOf(notification);
    const where = opens(notification, surroundings(notification, row));
    notification.read || notifications.markRead(notification.id).catch(() => {}); // it stays unread, and can be opened again
    if (where === 'gone' || where === 'unknown') {
      items.get(notification.id).say(text(where === 'gone' ? 'notifications.gone' : 'notifications.offline'));
      return;
    }
    dialog.close();
    ({ edit: () => context.list.edit(row), people: () => context.people.open(row), invitations: () => context.showInvitations() })[where]();
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
  const renderOpen = soon(() => dialog.open && renderList());
  [expenseList, context.invitations].forEach((part) => part.addEventListener('change', renderOpen));
  return { header: bell, overlay: dialog, render };
}

function notificationItem(id, { read, remove, go }) {
  let current;
  const made = (key, press) => h('button', { type: 'button', class: 'link', on: { click: () => press(current) } }, text(key));
  const mark = h('span', { class: 'new' }, text('notifications.new'));
  const title = h('h3', {});
  const message = h('p', { class: 'message', dir: 'auto' });
  const said = h('p', { class: 'hint', role: 'status' });
  const when = h('p', { class: 'hint' });
  const buttons = { open: made('notifications.open', go), read: made('notifications.read', read), delete: made('notifications.delete', remove) };
  const element = h('li', { class: 'notification', data: { id } },
    h('div', { class: 'notification-title' }, mark, title), message, said, h('div', { class: 'notification-foot' }, when, Object.values(buttons)));
  return {
    element,
    say: (why) => setText(said, why),
    show(notification, shown) {
      current = notification;
      const { timestamp, read: isRead, priority } = notification;
      Object.assign(element.dataset, { priority, read: isRead });
      mark.hidden = buttons.read.hidden = isRead;
      const lead = shown.lead ?? 'open';
      buttons.open.hidden = !shown.lead;
      setText(title, shown.title);
      setText(message, shown.message);
      setText(when, moment(timestamp));
      setText(buttons.open, text(`notifications.${lead}`));
      [['open', lead], ['read', 'read'], ['delete', 'delete']].forEach(([button, key]) => {
        buttons[button].setAttribute('aria-label', text(`notifications.${key}.of`, { title: shown.title, when: moment(timestamp) }));
      });
    },
  };
}

// The server's text has no currency; budget alerts are written here, with it.
function messageOf({ type, data, message }, currency) {
  return type === 'budget_alert' && data?.budgetName ? `${alertFigures(data, currency)}.` : message;
}
