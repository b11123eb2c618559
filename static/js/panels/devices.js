import { moment } from '../days.js';
import { arrange, h, setText } from '../dom.js';
import { sentence } from '../format.js';
import { text } from '../text.js';

/**
 * The part of the account dialog that lists the user's devices, this one first, each with a
 * button that signs it out.
 */
export class DevicesSection {
  #devices;
  #items = new Map(); // by device, or by session of an app without one
  #title = h('h3', { tabIndex: -1 }, text('devices.title'));
  #list = h('ul', { class: 'members' });
  #said = h('p', { class: 'saved', role: 'status' });
  #error = h('p', { class: 'error', role: 'alert' });
  #others = h('div', { class: 'others', hidden: true },
    h('button', { type: 'button', class: 'plain small', on: { click: () => this.#signOutOthers() } }, text('devices.others')),
    h('p', { class: 'hint' }, text('devices.others.hint')));

  constructor(devices) {
    this.#devices = devices;
    this.element = h('section', { aria: { label: text('devices.title') } }, this.#title, this.#list, this.#error, this.#said, this.#others);
  }

  /** Forgets what was said when the dialog was open last. */
  clear() {
    setText(this.#said, '');
    setText(this.#error, '');
  }

  render() {
    const { list, sessions, error } = this.#devices;
    if (error) {
      setText(this.#error, sentence(error.message));
    }
    const wanted = [...list.map((d) => [`device ${d.deviceId}`, d]), ...sessions.map((s) => [`session ${s.id}`, s])];
    const keys = new Set(wanted.map(([key]) => key));
    [...this.#items.keys()].forEach((key) => keys.has(key) || this.#items.delete(key));
    arrange(this.#list, wanted.map(([key, one]) => this.#item(key, one)));
    this.#others.hidden = !this.#devices.hasOthers;
  }

  #item(key, one) {
    const name = nameOf(one);
    const known = this.#items.get(key) ?? this.#made(one, name);
    this.#items.set(key, known);
    known.show(one);
    return known.element;
  }

  #made(one, name) {
    const detail = h('span', { class: 'detail' });
    const label = text('devices.sign.out.of', { device: name, when: moment(one.firstSeen) });
    const isThis = this.#devices.isThis(one);
    const element = h('li', {},
      h('div', { class: 'what' },
        h('div', {}, h('span', { class: 'description' }, name), isThis ? h('span', { class: 'tag' }, text('devices.this')) : null), detail),
      isThis ? null : h('button', { type: 'button', class: 'link', aria: { label }, on: { click: () => this.#signOut(one, name) } }, text('devices.sign.out')));
    return { element, show: (now) => setText(detail, detailOf(now)) };
  }

  #signOut(one, name) {
    return this.#act(() => this.#devices.signOut(one), text('devices.signed.out', { device: name }));
  }

  #signOutOthers() {
    return this.#act(() => this.#devices.signOutOthers(), text('devices.others.done'));
  }

  // The pressed button goes, so the title takes the focus.
  async #act(work, done) {
    this.clear();
    try {
      await work();
      setText(this.#said, done);
      this.#title.focus();
    } catch (err) {
      setText(this.#error, sentence(err.message));
    }
  }
}

function nameOf({ deviceId, client }) {
  return client || text(deviceId ? 'devices.unknown' : 'devices.app');
}

function detailOf({ deviceId, online, firstSeen, lastSeen }) {
  const away = deviceId ? text('devices.seen', { when: moment(lastSeen) }) : text('devices.offline');
  return text('devices.both', { state: online ? text('devices.online') : away, since: text('devices.since', { when: moment(firstSeen) }) });
}
