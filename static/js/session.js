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

/** Letters and digits that nobody guesses. */
export function randomText(length) {
  const digits = '0123456789abcdefghijklmnopqrstuvwxyz';
  return Array.from(crypto.getRandomValues(new Uint32Array(length)), (n) => digits[n % 36]).join('');
}
