import { moment } from '../days.js';
import { arrange, drawer, h, icon, iconButton, setText, soon } from '../dom.js';
import { sentence } from '../format.js';
import { Fields } from './fields.js';

/** The account: on which devices it is signed in, each with its way out; its currency; its end. */
export function mount({ session, deviceId, devices, settings, toast, removeAccount }) {
  const title = h('h2', { id: 'devices-title', tabIndex: -1 }, 'Your devices');
  const list = h('ul', { class: 'members' });
  const words = h('p', { class: 'error', role: 'alert' });
  const items = new Map();
  const currency = currencyForm({ settings, toast });
  const open = h('button', { type: 'button', class: 'who', aria: { label: `Devices of ${session.user.name}` }, title: session.user.email, on: { click: show } },
    icon('device'), h('span', {}, session.user.name));
  const dialog = drawer({ look: 'question', title: 'devices-title', closed: () => devices.look(false) },
    h('div', { class: 'sheet' },
      h('header', {}, title, iconButton('close', 'Close', () => dialog.close())),
      h('p', { class: 'hint' }, session.user.email), list, words, currency.element, deletion(removeAccount)));

  function show() {
    words.textContent = '';
    currency.fill();
    dialog.showModal();
    title.focus();
    devices.look(true);
  }

  function render() {
    setText(words, devices.trouble ? sentence(devices.trouble.message) : '');
    const known = new Set([...devices.list.map((d) => d.deviceId), ...devices.sessions.map((s) => `session ${s.id}`)]);
    items.forEach((_, id) => known.has(id) || items.delete(id));
    arrange(list, [...devices.list.map(item), ...devices.sessions.map(sessionItem)]);
  }

  function sessionItem(one) {
    const id = `session ${one.id}`;
    if (!items.has(id)) {
      items.set(id, { element: h('li', {},
        h('div', { class: 'what' }, h('span', { class: 'description' }, 'Another app'), h('span', { class: 'detail' }, `not connected · signed in since ${moment(one.firstSeen)}`)),
        h('button', { type: 'button', class: 'link', aria: { label: `Sign out the app of ${moment(one.firstSeen)}` }, on: { click: () => endSession(one) } }, 'Sign out')) });
    }
    return items.get(id).element;
  }

  async function endSession(one) {
    try {
      await devices.endSession(one.id);
      toast.whisper('Signed out');
      title.focus();
    } catch (err) {
      words.textContent = sentence(err.message);
    }
  }

  function item(device) {
    if (!items.has(device.deviceId)) {
      items.set(device.deviceId, deviceItem(device, device.deviceId === deviceId, signOut));
    }
    const known = items.get(device.deviceId);
    known.show(device);
    return known.element;
  }

  async function signOut(device) {
    try {
      await devices.signOut(device.deviceId);
      toast.whisper(`Signed out ${nameOf(device)}`);
      title.focus();
    } catch (err) {
      words.textContent = sentence(err.message);
    }
  }

  devices.addEventListener('change', soon(render));
  return { header: open, overlay: dialog };
}

/** The currency in which balance, budgets and the overview are counted. */
function currencyForm({ settings, toast }) {
  const fields = new Fields('account');
  const fill = () => fields.fill({ currency: settings.currency });
  const submitted = async (event) => {
    event.preventDefault();
    try {
      await settings.chooseCurrency(fields.text('currency').toUpperCase());
      fill();
      toast.whisper(`The account is kept in ${settings.currency}`);
    } catch (err) {
      fields.mark('currency', sentence(err.message));
    }
    fields.get('currency').focus();
  };
  const element = h('form', { noValidate: true, on: { submit: submitted } },
    fields.add('currency', 'Currency of the account', h('input', { maxlength: 3, autocomplete: 'off', class: 'upper', required: true })),
    h('p', { class: 'hint' }, 'Totals and budgets are in it, and so are entries that name none.'),
    h('div', { class: 'buttons' }, h('button', { type: 'submit', class: 'plain small' }, 'Use it')));
  return { element, fill };
}

/** The end of the account, behind its password. */
function deletion(removeAccount) {
  const fields = new Fields('delete');
  const submitted = async (event) => {
    event.preventDefault();
    if (fields.refuse(fields.text('password') ? {} : { password: 'Enter your password.' })) {
      return;
    }
    try {
      await removeAccount(fields.get('password').value);
    } catch (err) {
      fields.mark('password', sentence(err.message));
      fields.get('password').focus();
    }
  };
  const form = h('form', { noValidate: true, hidden: true, on: { submit: submitted } },
    h('p', { class: 'hint' }, 'Everything in it goes at once, for everybody you share with too. It cannot be taken back.'),
    fields.add('password', 'Your password', h('input', { type: 'password', autocomplete: 'current-password' })),
    h('div', { class: 'buttons' }, h('button', { type: 'submit', class: 'plain small' }, 'Delete it for ever')));
  const open = h('button', { type: 'button', class: 'link', aria: { expanded: 'false' }, on: { click: () => toggle() } }, 'Delete the account');
  const toggle = () => {
    form.hidden = !form.hidden;
    open.setAttribute('aria-expanded', String(!form.hidden));
    form.hidden || fields.get('password').focus();
  };
  return h('div', {}, open, form);
}

function deviceItem(device, isThis, signOut) {
  const detail = h('span', { class: 'detail' });
  const name = isThis ? 'This device' : nameOf(device);
  return {
    element: h('li', {},
      h('div', { class: 'what' }, h('span', { class: 'description' }, name), detail),
      isThis ? null : h('button', { type: 'button', class: 'link', aria: { label: `Sign out ${name}` }, on: { click: () => signOut(device) } }, 'Sign out')),
    show({ online, firstSeen, lastSeen }) {
      setText(detail, `${online ? 'here now' : `last seen ${moment(lastSeen)}`} · first seen ${moment(firstSeen)}`);
    },
  };
}

// Devices name themselves by chance; the end of it is enough to tell them apart.
function nameOf({ deviceId }) {
  return `Device ${deviceId.slice(-4)}`;
}
