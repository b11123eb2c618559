/**
 * Who is signed in, in this browser. All its tabs share it.
 *
 * A device has one name per user: the server sets aside what a device queued
 * before it acted for somebody else, and our queues never mix users.
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

export function close(storage) {
  storage.remove(key);
}

const endingKey = 'expenseflow.ending';

/** How many tokens of sessions that were left are remembered until the server knows. */
const keptEndings = 10;

/** Remembers the token of a session that was left, until the server was told. */
export function leave(storage, token) {
  storage.set(endingKey, [...endings(storage), token].slice(-keptEndings));
}

/** Tells the server of the sessions that were left without it. */
export async function tellEndings(storage, logout, isRefused) {
  for (const token of endings(storage)) {
    try {
      await logout(token);
    } catch (err) {
      if (!isRefused(err)) {
        continue; // the server does not know yet
      }
    }
    const left = endings(storage).filter((t) => t !== token);
    left.length > 0 ? storage.set(endingKey, left) : storage.remove(endingKey);
  }
}

function endings(storage) {
  const list = storage.get(endingKey);
  return Array.isArray(list) ? list : [];
}

/** Whether a key of the store holds the session. */
export function owns(changedKey) {
  return changedKey === key;
}

/** The name of this browser for a user; made once and kept. */
export function deviceId(storage, userId) {
  const idKey = `expenseflow.${userId}.device`;
  const id = storage.get(idKey) ?? `device_${randomText(9)}`;
  storage.set(idKey, id);
  return id;
}

/** Removes all that was kept of an account that is gone, also what waits and the browser's name for it. */
export function forgetAccount(storage, userId) {
  storage.keys(`expenseflow.${userId}.`).forEach((key) => storage.remove(key));
}

/** Letters and digits that nobody guesses. */
export function randomText(length) {
  const digits = '0123456789abcdefghijklmnopqrstuvwxyz';
  return Array.from(crypto.getRandomValues(new Uint32Array(length)), (n) => digits[n % 36]).join('');
}
