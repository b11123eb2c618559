/** The countries that pay in euros. Elsewhere a currency's code begins with its country's. */
const euro = new Set('AD,AT,BE,BG,CY,DE,EE,ES,FI,FR,GR,HR,IE,IT,LT,LU,LV,MC,ME,MT,NL,PT,SI,SK,SM,VA,XK'.split(','));

/** Which of the currencies with these codes people who read a language, such as en-US, probably use; '' if nobody knows. */
export function currencyOfRegion(language, codes) {
  const { region } = new Intl.Locale(language).maximize();
  return euro.has(region) ? 'EUR' : codes.find((code) => code.startsWith(region)) ?? '';
}

/** Whether somebody typed the name of a currency, such as EURO or POUNDS, where its code belongs. Three letters may always be a code. */
export function isCurrencyName(typed) {
  const names = new Intl.DisplayNames('en', { type: 'currency' });
  const isWord = (name) => name.split(' ').some((word) => typed === word || typed === `${word}S`);
  return typed.length > 3 && Intl.supportedValuesOf('currency').some((code) => isWord(names.of(code).toUpperCase()));
}
