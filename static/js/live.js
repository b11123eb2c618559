/** Milliseconds before the live connection is tried again after a refusal. */
const refusedPause = 15_000;

/** Milliseconds between attempts to load the client script. */
const scriptPause = 3_000;

/** Milliseconds that the server may take to answer over the connection. */
const answerPatience = 15_000;

const clientScript = '/socket.io/socket.io.js';

/**
 * The live connection to the server.
 *
 * Events: `state` (live changed), `fresh` (connected, and events may have been
 * missed), `ended` (the server says that the session is over). What the server
 * emits is heard through listen, by as many panels as like to.
 */
export class Live extends EventTarget {
  #auth;
  #socket = null;
  #listeners = [];
  #timer = null;
  #stopped = false;

  /** Whether the connection stands. */
  connected = false;

  /** Whether the last attempt to connect failed. */
  failed = false;

  /** @param {{token: string, deviceId: string}} auth */
  constructor(auth) {
    super();
    this.#auth = auth;
  }

  /** Hears an event of the server, on this connection and every later one. */
  listen(event, hear) {
    this.#listeners.push([event, hear]);
    this.#socket?.on(event, hear);
  }

  /**
   * Says something to the server and gives what it answers. A refusal comes as
   * {ok: false, error, code}; no connection, or no answer in time, as an error.
   */
  async ask(event, payload = {}) {
    if (!this.connected) {
      throw new Error('There is no connection to the server');
    }
    return this.#socket.timeout(answerPatience).emitWithAck(event, payload);
  }

  /** Connects, and keeps connecting until stop. */
  async start() {
    const io = await this.#client();
    if (this.#stopped) {
      return;
    }
    this.#socket = io({ auth: this.#auth, reconnectionDelayMax: 5_000 });
    this.#socket.on('connect', () => this.#connected());
    this.#socket.on('disconnect', (reason) => this.#disconnected(reason));
    this.#socket.on('connect_error', (err) => this.#refused(err));
    this.#socket.on('auth_expired', () => this.#ended());
    this.#listeners.forEach(([event, hear]) => this.#socket.on(event, hear));
  }

  /** Tries at once instead of after the pause: the network is back. */
  wake() {
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
    this.#turn(true);
    if (!this.#socket.recovered) {
      this.dispatchEvent(new Event('fresh'));
    }
  }

  // The client comes back by itself, except when the server sent it away.
  #disconnected(reason) {
    this.#turn(false);
    if (reason === 'io server disconnect') {
      this.#later(1_000);
    }
  }

  #refused(err) {
    this.failed = true;
    this.#turn(false);
    if (err.message === 'Authentication error') {
      this.#ended();
    } else if (!this.#socket.active) {
      this.#later(refusedPause);
    }
  }

  #ended() {
    this.stop();
    this.dispatchEvent(new Event('ended'));
  }

  #later(pause) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => !this.#stopped && this.#socket.connect(), pause);
  }

  #turn(connected) {
    this.connected = connected;
    this.dispatchEvent(new Event('state'));
  }

  // The script comes from the server, which may be away when the page opens.
  async #client() {
    while (!globalThis.io && !this.#stopped) {
      await loadScript(clientScript).catch(() => this.#scriptFailed());
    }
    return globalThis.io;
  }

  #scriptFailed() {
    this.failed = true;
    this.#turn(false);
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
