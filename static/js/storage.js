import { keptName } from './base.js';

/**
 * A key-value store over localStorage that keeps working when the browser
 * refuses it (full, private window, blocked by policy). What could not be
 * written to disk lives in memory, and `durable` turns false, so that the page
 * can say that it will not survive closing.
 */
export class Storage {
  #disk;
  #prefix;
  #memory = new Map();

  /** @param disk localStorage, or anything with its methods; null for none @param prefix what keys begin with on it */
  constructor(disk, prefix = '') {
    this.#disk = disk;
    this.#prefix = prefix;
  }

  /** Whether everything written so far survives closing the page. */
  get durable() {
    return this.#memory.size === 0;
  }

  /** The value under key, or null: absent and damaged look the same. */
  get(key) {
    try {
      return JSON.parse(this.#memory.get(key) ?? this.#disk?.getItem(this.#prefix + key) ?? 'null');
    } catch {
      return null;
    }
  }

  set(key, value) {
    const text = JSON.stringify(value);
    try {
      this.#disk.setItem(this.#prefix + key, text);
      this.#memory.delete(key);
    } catch {
      this.#memory.set(key, text);
    }
  }

  /** Writes if there is room, for copies that can be loaded again. */
  cache(key, value) {
    try {
      this.#disk.setItem(this.#prefix + key, JSON.stringify(value));
    } catch {
      this.remove(key);
    }
  }

  remove(key) {
    this.#memory.delete(key);
    try {
      this.#disk?.removeItem(this.#prefix + key);
    } catch {
      // a store that cannot be written to holds nothing of this page
    }
  }

  /** The keys that start with prefix, in ascending order. */
  keys(prefix) {
    const found = new Set([...this.#memory.keys(), ...this.#diskKeys()]);
    return [...found].filter((key) => key.startsWith(prefix)).sort();
  }

  /** The key of what is called onDisk there; '' if it is not of this store. */
  keyOf(onDisk) {
    return onDisk.startsWith(this.#prefix) ? onDisk.slice(this.#prefix.length) : '';
  }

  #diskKeys() {
    try {
      return Array.from({ length: this.#disk.length }, (_, i) => this.keyOf(this.#disk.key(i)));
    } catch {
      return [];
    }
  }
}

/** The browser's localStorage, or memory alone where a policy forbids access. */
export function browserStorage() {
  try {
    return new Storage(globalThis.localStorage, keptName(''));
  } catch {
    return new Storage(null);
  }
}
