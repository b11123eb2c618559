/**
 * The session of this browser, shared by its tabs.
 *
 * A browser has one device id per user, because the server parks operations that a
 * device queued before it acted for another user; the queues here never mix users.
 */
const key = 'expenseflow.session';

/** The session of this browser, or null. */
export function load(storage) {
  const session = storage.get(key);
  return session?.token && session.user?.id ? session : null;
}

/** Starts a session with the server's answer to a sign-in. */
export function open(storage, { token, user }) {
  const session = { token, user };
  storage.set(key, session);
  return session;
}

/** Gives the session another token of the same user. */
export function renew(storage, session, token) {
  session.token = token;
  storage.set(key, { token, user: session.user });
}

/** The token that another tab has got for this session meanwhile, or null. */
export function renewedElsewhere(storage, session) {
  const stored = load(storage);
  return stored && stored.user.id === session.user.id && stored.token !== session.token ? stored.token : null;
}

export function close(storage) {
  storage.remove(key);
}

// The older name stays: browsers keep tokens under it that are still to be revoked.
const signedOutKey = 'expenseflow.ending';

/** How many tokens of signed-out sessions are kept until they are revoked at the server. */
const keptSignedOut = 10;

/** Stores the token of a signed-out session until it is revoked at the server. */
export function rememberSignedOut(storage, token) {
  storage.set(signedOutKey, [...signedOut(storage), token].slice(-keptSignedOut));
}

/** Revokes the tokens of sessions that were signed out without a connection. */
export async function revokeSignedOut(storage, logout, isRefused) {
  for (const token of signedOut(storage)) {
    try {
      await logout(token);
    } catch (err) {
      if (!isRefused(err)) {
        continue; // not reached: tried again later
      }
    }
    const left = signedOut(storage).filter((t) => t !== token);
    left.length > 0 ? storage.set(signedOutKey, left) : storage.remove(signedOutKey);
  }
}

function signedOut(storage) {
  const list = storage.get(signedOutKey);
  return Array.isArray(list) ? list : [];
}

/** Whether a key of the store holds the session. */
export function owns(changedKey) {
  return changedKey === key;
}

/** The device id of this browser for a user; made once and stored. */
export function deviceId(storage, userId) {
  const idKey = `expenseflow.${userId}.device`;
  const id = storage.get(idKey) ?? `device_${randomText(9)}`;
  storage.set(idKey, id);
  return id;
}

/** Removes everything stored for a deleted account, its queue and device id included. */
export function forgetAccount(storage, userId) {
  storage.keys(`expenseflow.${userId}.`).forEach((key) => storage.remove(key));
}

/** Random letters and digits. */
export function randomText(length) {
  const digits = '0123456789abcdefghijklmnopqrstuvwxyz';
  return Array.from(crypto.getRandomValues(new Uint32Array(length)), (n) => digits[n % 36]).join('');
}
