import { base, basePath } from './base.js';

/** Milliseconds before the live connection is tried again after a refusal. */
const refusedPause = 15_000;

/** Milliseconds between attempts to load the client script. */
const scriptPause = 3_000;

/** Milliseconds within which the server must acknowledge a request. */
const answerTimeout = 15_000;

const clientScript = `${base}socket.io/socket.io.js`;

/**
 * The Socket.IO connection to the server.
 *
 * Events: `state` (connected or failed changed), `resync` (connected, and events may
 * have been missed), `ended` (the server has ended the session). Events of the
 * server are delivered to every listener that listen has added.
 */
export class LiveConnection extends EventTarget {
  #auth;
  #socket = null;
  #listeners = [];
  #listenersToAll = [];
  #timer = null;
  #taken = ''; // the token by which the server knows the connection
  #stopped = false;

  /** Whether it is connected. */
  connected = false;

  /** When that changed last, in milliseconds; null if it never did. */
  since = null;

  /** Whether the last attempt to connect failed. */
  failed = false;

  /** @param {{token: string, deviceId: string}} auth */
  constructor(auth) {
    super();
    this.#auth = auth;
  }

  /** Adds a listener for an event of the server, on this connection and every later one. */
  listen(event, handle) {
    this.#listeners.push([event, handle]);
    this.#socket?.on(event, handle);
  }

  /** Adds a listener for every event of the server: its name, then its arguments. */
  listenToAll(handle) {
    this.#listenersToAll.push(handle);
    this.#socket?.onAny(handle);
  }

  /** By what it is connected: `websocket` or `polling`; '' without a connection. */
  get transport() {
    return (this.connected && this.#socket.io.engine?.transport.name) || '';
  }

  /**
   * Emits an event and returns the acknowledgement. A refusal is
   * {ok: false, error, code}; without a connection or an answer in time it throws.
   */
  async request(event, payload = {}) {
    if (!this.connected) {
      throw new Error('There is no connection to the server');
    }
    return this.#socket.timeout(answerTimeout).emitWithAck(event, payload);
  }

  /** Has this connection and every later one go on by another token of the same user. */
  async useToken(token) {
    this.#auth.token = token; // the client sends the same object each time it connects
    if (this.connected && (await this.request('auth:refresh', { token })).ok) {
      this.#taken = token;
    }
  }

  /** Connects, and reconnects until stop. */
  async start() {
    const io = await this.#client();
    if (this.#stopped) {
      return;
    }
    this.#socket = io({ path: `${basePath}socket.io/`, auth: this.#auth, reconnectionDelayMax: 5_000 });
    this.#socket.on('connect', () => this.#connected());
    this.#socket.on('disconnect', (reason) => this.#disconnected(reason));
    this.#socket.on('connect_error', (err) => this.#onConnectError(err));
    this.#socket.on('auth_expired', () => this.#expired());
    this.#listeners.forEach(([event, handle]) => this.#socket.on(event, handle));
    this.#listenersToAll.forEach((handle) => this.#socket.onAny(handle));
  }

  /** Reconnects without waiting for the pause: the network is back. */
  reconnectNow() {
    if (this.#socket && !this.connected) {
      this.#socket.disconnect().connect();
    }
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#socket?.disconnect();
  }

  #connected() {
    this.failed = false;
    this.#taken = this.#auth.token;
    this.#setConnected(true);
    if (!this.#socket.recovered) {
      this.dispatchEvent(new Event('resync'));
    }
  }

  // The client reconnects by itself, unless the server disconnected it.
  #disconnected(reason) {
    this.#setConnected(false);
    if (reason === 'io server disconnect') {
      this.#reconnectAfter(1_000);
    }
  }

  #onConnectError(err) {
    this.failed = true;
    this.#setConnected(false);
    if (err.message === 'Authentication error') {
      this.#ended();
    } else if (!this.#socket.active) {
      this.#reconnectAfter(refusedPause);
    }
  }

  // If there is another token, the server has not learnt of it in time: the next connection uses it.
  #expired() {
    if (this.#taken === this.#auth.token) {
      this.#ended();
    }
  }

  #ended() {
    this.stop();
    this.dispatchEvent(new Event('ended'));
  }

  #reconnectAfter(pause) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => !this.#stopped && this.#socket.connect(), pause);
  }

  #setConnected(connected) {
    if (connected !== this.connected) {
      this.since = Date.now();
    }
    this.connected = connected;
    this.dispatchEvent(new Event('state'));
  }

  // The script comes from the server, which may not run when the page opens.
  async #client() {
    while (!globalThis.io && !this.#stopped) {
      await loadScript(clientScript).catch(() => this.#scriptFailed());
    }
    return globalThis.io;
  }

  #scriptFailed() {
    this.failed = true;
    this.#setConnected(false);
    return new Promise((resolve) => setTimeout(resolve, scriptPause));
  }
}

function loadScript(src) {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = src;
    script.onload = resolve;
    script.onerror = () => {
      script.remove();
      reject(new Error(`cannot load ${src}`));
    };
    document.head.append(script);
  });
}
