import { Unauthorized } from './httpclient.js';
import * as sessions from './session.js';

/** Milliseconds between attempts to renew a token. */
const retryPause = 5_000;

/** How often it is attempted: the server says a minute before that a token expires. */
const attempts = 12;

/**
 * Renews the token of a session before it expires, so that nobody is signed out while the
 * page is open. Of several tabs one asks for the new token, and the others use it too.
 */
export class Renewal {
  #parts;
  #stopped = false;
  #replacing = Promise.resolve();

  /** Without a lock each tab asks by itself. */
  constructor({ lock = (work) => work(), pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms)), ...parts }) {
    this.#parts = { lock, pause, ...parts };
    parts.live.listen('auth:expiring', () => this.#renew(parts.session.token));
  }

  stop() {
    this.#stopped = true;
  }

  /** Has the session go on by a token that is stored already. */
  use(token) {
    const { api, live, session } = this.#parts;
    session.token = token;
    api.useToken(token);
    live.useToken(token).catch(() => {}); // the next connection uses it
  }

  /**
   * Has the session go on by the token that work asks the server for; the server ends the
   * present one with that, maybe before its answer arrives. Throws what work throws.
   */
  async replace(work) {
    const { lock, storage, session } = this.#parts;
    const replaced = lock(async () => {
      const { token } = await work();
      if (!this.#stopped) {
        sessions.renew(storage, session, token);
        this.use(token);
      }
    });
    this.#replacing = replaced.catch(() => {});
    await replaced;
  }

  /** Resolves once no tab is replacing the token: a refused one may have a successor by then. */
  async settled() {
    await this.#replacing;
    await this.#parts.lock(() => {});
  }

  async #renew(expiring) {
    const { lock, pause } = this.#parts;
    for (let i = 0; i < attempts && !this.#stopped; i++) {
      try {
        await lock(() => this.#renewOnce(expiring));
        return;
      } catch (err) {
        if (err instanceof Unauthorized) {
          return; // signed out: the live connection says so too
        }
        await pause(retryPause);
      }
    }
  }

  // Another tab may have renewed the token, or ended the session, while this one waited for its turn.
  async #renewOnce(expiring) {
    const { api, storage, session } = this.#parts;
    if (this.#stopped || session.token !== expiring) {
      return;
    }
    const elsewhere = sessions.renewedElsewhere(storage, session);
    const { token } = elsewhere ? { token: elsewhere } : await api.refresh();
    if (this.#stopped) {
      return;
    }
    if (!elsewhere) {
      sessions.renew(storage, session, token);
    }
    this.use(token);
  }
}
