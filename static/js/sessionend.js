import { Api } from './api.js';
import { removeCaches } from './caches.js';
import { pendingCount } from './queue.js';
import * as sessions from './session.js';
import { text } from './text.js';
import { Unauthorized } from './httpclient.js';

/**
 * The ways in which the session of a page ends. Each removes what the browser holds of the
 * account and shows the sign-in form; what is queued stays for the next sign-in, unless the
 * account is deleted.
 */
export class SessionEnd {
  #storage;
  #start;

  /** @param start shows the page of the stored session, else the sign-in form with a notice and an address */
  constructor({ storage, start }) {
    this.#storage = storage;
    this.#start = start;
  }

  /** Another tab has signed in or out, or has another token for this session. */
  changedElsewhere({ session, renewal }) {
    const token = sessions.renewedElsewhere(this.#storage, session);
    token ? renewal.use(token) : this.#start();
  }

  /**
   * The server has refused the token. It may have a successor by now, which this or another
   * tab was asking for; and an answer that arrives after signing out ends no other session.
   */
  async ended(context) {
    const { session, renewal } = context;
    const refused = session.token;
    await renewal.settled();
    if (context.closed) {
      return;
    }
    if (session.token !== refused || sessions.renewedElsewhere(this.#storage, session)) {
      this.#start();
      return;
    }
    this.#close(context);
    const kept = pendingCount(this.#storage, session.user.id);
    this.#start(kept > 0 ? text('frame.endedkept', { count: kept }) : text('frame.ended'), session.user.email);
  }

  /** Signs this device out, at the server now or when it can be reached. */
  signOut(context) {
    sessions.rememberSignedOut(this.#storage, context.session.token);
    this.#close(context);
    this.#start();
  }

  /** Signs out every device; throws if the server cannot do it now. */
  async signOutEverywhere(context) {
    await context.api.logoutEverywhere();
    this.#close(context);
    this.#start(text('account.everywhere.done'), context.session.user.email);
  }

  /** Deletes the account. Nothing of it stays in the browser, not even queued changes. */
  async removeAccount({ api, navigation, session }, password) {
    await api.deleteAccount(password);
    navigation.leave();
    sessions.close(this.#storage);
    this.#start(text('frame.accountdeleted'));
    sessions.forgetAccount(this.#storage, session.user.id);
  }

  /** Tells the server of the sign-outs that it has not heard of. */
  revokeSignedOut() {
    sessions.revokeSignedOut(this.#storage, (token) => new Api({ token }).logout(), (err) => err instanceof Unauthorized);
  }

  #close({ navigation, session }) {
    navigation.leave();
    removeCaches(this.#storage, session.user.id);
    sessions.close(this.#storage);
  }
}
