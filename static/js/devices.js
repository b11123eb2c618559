import { soon } from './dom.js';

/**
 * The devices on which this person is signed in, while somebody looks at them.
 * Which of them are there the server tells with every change. Events: `change`.
 */
export class Devices extends EventTarget {
  #api;
  #looking = false;
  #readSoon = soon(() => this.#looking && this.#read(), 100);

  /** {deviceId, firstSeen, lastSeen, online}, the one seen last first. */
  list = [];

  /** Sessions without a device: {id, firstSeen, lastSeen}, the one seen last first. */
  sessions = [];

  /** How many are there now. */
  online = 0;

  /** The error that the last reading ended with, or null. */
  trouble = null;

  constructor({ api, live }) {
    super();
    this.#api = api;
    live.listen('presence:update', (presence) => this.#tell(presence));
  }

  async look(looking) {
    this.#looking = looking;
    if (looking) {
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

  #tell({ devices }) {
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
      this.trouble = null;
    } catch (err) {
      this.trouble = err;
    }
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
