import { h } from './dom.js';
import { text, textParts } from './text.js';

/**
 * Who made a change, in words: another person by name, this person with the device,
 * as browser and system where the server knows them.
 */
export class DeviceNames {
  #api;
  #userId;
  #deviceId;
  #clients = new Map();

  constructor({ api, session, deviceId }) {
    this.#api = api;
    this.#userId = session.user.id;
    this.#deviceId = deviceId;
  }

  /** Loads the names; without them devices are told apart as this one and others. */
  async load() {
    const devices = await this.#api.devices().catch(() => []);
    this.#clients = new Map(devices.map(({ deviceId, client }) => [deviceId, client]));
  }

  /** The author of a change as children of an element. */
  who({ by, deviceId }) {
    if (!by) {
      return [text('history.somebody')];
    }
    if (by.id !== this.#userId) {
      return [h('bdi', {}, by.name)];
    }
    return deviceId ? textParts('history.youOn', { device: this.#device(deviceId) }) : [text('history.you')];
  }

  /** The device of this person with which a change was made, as the name of a side; '' if somebody else made it. */
  side({ by, deviceId }) {
    if (by?.id !== this.#userId) {
      return '';
    }
    if (deviceId === this.#deviceId) {
      return text('conflict.thisDevice');
    }
    const device = this.#clients.get(deviceId);
    return device ? text('conflict.yourDevice', { device }) : text('conflict.otherDevice');
  }

  #device(deviceId) {
    if (deviceId === this.#deviceId) {
      return text('history.thisDevice');
    }
    return this.#clients.get(deviceId) || text('history.otherDevice');
  }
}
