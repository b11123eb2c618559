import { moment, timeZones } from '../days.js';
import { arrange, drawer, h, icon, iconButton, setText, soon } from '../dom.js';
import { dismiss } from '../drawer.js';
import { sentence } from '../format.js';
import { Fields } from './fields.js';

/** The account dialog: devices and sessions with buttons to sign them out, settings, deletion. */
export function mount({ session, deviceId, devices, settings, toast, removeAccount }) {
  const title = h('h2', { id: 'devices-title', tabIndex: -1 }, 'Your devices');
  const list = h('ul', { class: 'members' });
  const errorText = h('p', { class: 'error', role: 'alert' });
  const items = new Map();
  const forms = settingForms({ settings, toast });
  const open = h('button', { type: 'button', aria: { label: `Devices of ${session.user.name}` }, title: session.user.email, on: { click: show } },
    icon('device'), h('span', {}, session.user.name));
  const dialog = drawer({ className: 'question', title: 'devices-title', closed: () => devices.setOpen(false) },
    h('div', { class: 'sheet' },
      h('header', {}, title, iconButton('close', 'Close', () => dismiss(dialog))),
      h('p', { class: 'hint' }, session.user.email), list, errorText, forms.element, deletion(removeAccount)));

  function show() {
    errorText.textContent = '';
    forms.fill();
    dialog.showModal();
    title.focus();
    devices.setOpen(true);
  }

  function render() {
    setText(errorText, devices.error ? sentence(devices.error.message) : '');
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
      toast.announce('Signed out');
      title.focus();
    } catch (err) {
      errorText.textContent = sentence(err.message);
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
      toast.announce(`Signed out ${nameOf(device)}`);
      title.focus();
    } catch (err) {
      errorText.textContent = sentence(err.message);
    }
  }

  devices.addEventListener('change', soon(render));
  return { menu: open, overlay: dialog };
}

/** The forms for the account's currency and time zone. */
function settingForms({ settings, toast }) {
  const forms = [
    settingForm({
      toast, name: 'currency', label: 'Currency of the account', control: h('input', { maxlength: 3, autocomplete: 'off', class: 'upper', required: true }),
      hint: 'Totals and budgets are in it, and so are entries that name none.',
      current: () => settings.currency,
      save: (typed) => settings.chooseCurrency(typed.toUpperCase()),
      saved: () => `The account is kept in ${settings.currency}`,
    }),
    settingForm({
      toast, name: 'timeZone', label: 'Time zone of the account', control: h('input', { list: 'time-zones', autocomplete: 'off', spellcheck: 'false', required: true }),
      hint: 'Type a part of its name to find it. Days begin and end in it, on every device; entries keep the days that they have.',
      current: () => settings.timeZone,
      save: (typed) => settings.chooseTimeZone(typed),
      saved: () => `Days are counted in ${settings.timeZone}`,
    }),
  ];
  const zones = h('datalist', { id: 'time-zones' }, timeZones().map((zone) => h('option', { value: zone }, zone.replaceAll('_', ' '))));
  return { element: h('div', {}, forms.map((form) => form.element), zones), fill: () => forms.forEach((form) => form.fill()) };
}

/** A form with one setting: current returns its value, save stores another one, saved says so. */
function settingForm({ toast, name, label, control, hint, current, save, saved }) {
  const fields = new Fields('account');
  const fill = () => fields.fill({ [name]: current() });
  const submitted = async (event) => {
    event.preventDefault();
    try {
      await save(fields.text(name));
      fill();
      toast.announce(saved());
    } catch (err) {
      fields.mark(name, sentence(err.message));
    }
    control.focus();
  };
  const element = h('form', { noValidate: true, on: { submit: submitted } },
    fields.add(name, label, control), h('p', { class: 'hint' }, hint),
    h('div', { class: 'buttons' }, h('button', { type: 'submit', class: 'plain small', aria: { label: `Use it: ${label}` } }, 'Use it')));
  return { element, fill };
}

/** The form that deletes the account, which asks for the password. */
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
    h('p', { class: 'hint' }, 'Everything in it goes at once, for everybody you share with too. It cannot be taken back. '
      + 'The server keeps an unseen record of what you shared until that is some months old.'),
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

// Device ids are random; the last four characters tell devices apart.
function nameOf({ deviceId }) {
  return `Device ${deviceId.slice(-4)}`;
}
