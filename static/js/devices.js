import { soon } from './dom.js';

/**
 * The devices on which this user is signed in, loaded while their dialog is open.
 * The server sends which of them are connected with every change. Events: `change`.
 */
export class Devices extends EventTarget {
  #api;
  #open = false;
  #readSoon = soon(() => this.#open && this.#read(), 100);

  /** {deviceId, firstSeen, lastSeen, online}, most recently seen first. */
  list = [];

  /** Sessions without a device: {id, firstSeen, lastSeen}, most recently seen first. */
  sessions = [];

  /** How many are connected. */
  online = 0;

  /** The error of the last request, or null. */
  error = null;

  constructor({ api, live }) {
    super();
    this.#api = api;
    live.listen('presence:update', (presence) => this.#onPresence(presence));
  }

  async setOpen(open) {
    this.#open = open;
    if (open) {
      await this.#read();
    }
  }

  async signOut(deviceId) {
    await this.#api.signOutDevice(deviceId);
    this.list = this.list.filter((d) => d.deviceId !== deviceId);
    this.#changed();
  }

  async endSession(id) {
    await this.#api.endSession(id);
    this.sessions = this.sessions.filter((s) => s.id !== id);
    this.#changed();
  }

  #onPresence({ devices }) {
    const there = new Set(devices.map((d) => d.deviceId));
    this.online = there.size;
    this.list = this.list.map((d) => ({ ...d, online: there.has(d.deviceId) }));
    this.#readSoon();
    this.#changed();
  }

  async #read() {
    try {
      const [list, sessions] = await Promise.all([this.#api.devices(), this.#api.sessions()]);
      this.list = list;
      this.sessions = sessions.filter((s) => !s.current && s.devices.length === 0);
      this.error = null;
    } catch (err) {
      this.error = err;
    }
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
