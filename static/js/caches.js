import { removeBook, removeBooksOfOthers } from './bookstore.js';

/**
 * What this browser keeps of an account so that the page opens without a server: its
 * book, and some small things in the store. It goes when the session ends; what was
 * queued and the device's id stay.
 */
const small = ['balance', 'budgets', 'rows', 'settings']; // rows: what earlier versions kept instead of a book

/** The key under which something small is kept. */
export function cacheKey(userId, name) {
  return `expenseflow.${userId}.${name}`;
}

/** Keeps something small while the session is open: {get, set}; get gives null if it is not there. */
export function kept(storage, userId, name, isOpen) {
  const key = cacheKey(userId, name);
  return { get: () => storage.get(key), set: (value) => isOpen() && storage.cache(key, value) };
}

/** Removes what is kept of an account. */
export function removeCaches(storage, userId) {
  small.forEach((name) => storage.remove(cacheKey(userId, name)));
  removeBook(userId);
}

/** Removes what is kept of all accounts but one; of all, without one. Of that one goes what an earlier version kept. */
export function removeCachesOfOthers(storage, userId = null) {
  const isCache = new RegExp(`^expenseflow\\.[^.]+\\.(${small.join('|')})$`);
  storage.keys('expenseflow.').filter((key) => isCache.test(key) && !key.startsWith(cacheKey(userId, ''))).forEach((key) => storage.remove(key));
  storage.remove(cacheKey(userId, 'rows'));
  removeBooksOfOthers(userId);
}
