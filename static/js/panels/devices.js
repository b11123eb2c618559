import { moment } from '../days.js';
import { arrange, drawer, h, icon, iconButton, setText, soon } from '../dom.js';
import { sentence } from '../format.js';

/** On which devices this person is signed in, each with its way out. */
export function mount({ session, deviceId, devices, toast }) {
  const title = h('h2', { id: 'devices-title', tabIndex: -1 }, 'Your devices');
  const list = h('ul', { class: 'members' });
  const words = h('p', { class: 'error', role: 'alert' });
  const items = new Map();
  const open = h('button', { type: 'button', class: 'who', aria: { label: `Devices of ${session.user.name}` }, title: session.user.email, on: { click: show } },
    icon('device'), h('span', {}, session.user.name));
  const dialog = drawer({ look: 'question', title: 'devices-title', closed: () => devices.look(false) },
    h('div', { class: 'sheet' },
      h('header', {}, title, iconButton('close', 'Close', () => dialog.close())),
      h('p', { class: 'hint' }, session.user.email), list, words));

  function show() {
    words.textContent = '';
    dialog.showModal();
    title.focus();
    devices.look(true);
  }

  function render() {
    setText(words, devices.trouble ? sentence(devices.trouble.message) : '');
    items.forEach((_, id) => devices.list.some((d) => d.deviceId === id) || items.delete(id));
    arrange(list, devices.list.map(item));
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
