/** The language of the page on this device; so far there is one, which the system's language cannot change. */
const key = 'expenseflow.language';

export const languages = ['system', 'en'];

export function languageOf(storage) {
  const language = storage.get(key);
  return languages.includes(language) ? language : 'system';
}

export function chooseLanguage(storage, language) {
  language === 'system' ? storage.remove(key) : storage.set(key, language);
}
