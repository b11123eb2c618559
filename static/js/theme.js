/**
 * The theme of this device, which is not the account's: light, dark, or as the system has
 * it. ../theme.js applies it, before anything is drawn.
 */
const key = 'expenseflow.theme';

export const themes = ['system', 'light', 'dark'];

export function themeOf(storage) {
  const theme = storage.get(key);
  return themes.includes(theme) ? theme : 'system';
}

/** Applies a theme here and in other tabs, and stores it. */
export function chooseTheme(storage, theme, target = globalThis) {
  theme === 'system' ? storage.remove(key) : storage.set(key, theme);
  target.dispatchEvent(new CustomEvent('expenseflow-theme', { detail: theme }));
}
