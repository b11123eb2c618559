import { soon } from './dom.js';

/**
 * The devices on which this user is signed in, loaded while their dialog is open.
 * The server sends which of them are connected with every change. Events: `change`.
 */
export class Devices extends EventTarget {
  #api;
  #deviceId;
  #keepToken;
  #open = false;
  #readSoon = soon(() => this.#open && this.#read(), 100);

  /** {deviceId, client, firstSeen, lastSeen, online}: this one, then the others, most recently seen first. */
  list = [];

  /** Sessions without a device: {id, client, firstSeen, lastSeen}, most recently seen first. */
  sessions = [];

  /** How many are connected. */
  online = 0;

  /** The error of the last request, or null. */
  error = null;

  /**
   * @param {object} parts
   * @param {string} parts.deviceId this device's
   * @param {(work: () => Promise<{token: string}>) => Promise} parts.keepToken has the session go on by the token that work gets
   */
  constructor({ api, live, deviceId, keepToken }) {
    super();
    this.#api = api;
    this.#deviceId = deviceId;
    this.#keepToken = keepToken;
    live.listen('presence:update', (presence) => this.#onPresence(presence));
  }

  /** Whether a device is this one. */
  isThis({ deviceId }) {
    return deviceId === this.#deviceId;
  }

  /** Whether the user is signed in anywhere else. */
  get hasOthers() {
    return this.sessions.length > 0 || this.list.some((d) => !this.isThis(d));
  }

  async setOpen(open) {
    this.#open = open;
    if (open) {
      await this.#read();
    }
  }

  /** Signs out a device, or the session of an app without one. */
  async signOut({ deviceId, id }) {
    await (deviceId ? this.#api.signOutDevice(deviceId) : this.#api.endSession(id));
    this.#keep((one) => (deviceId ? one.deviceId !== deviceId : one.id !== id));
  }

  /** Signs out everything but this device. */
  async signOutOthers() {
    await this.#keepToken(() => this.#api.logoutOthers());
    this.#keep((one) => this.isThis(one));
    this.#readSoon();
  }

  #keep(which) {
    this.list = this.list.filter(which);
    this.sessions = this.sessions.filter(which);
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
      this.list = [...list.filter((d) => this.isThis(d)), ...list.filter((d) => !this.isThis(d))];
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
