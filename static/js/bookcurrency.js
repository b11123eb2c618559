import { everything, shownHome } from './totals.js';

/**
 * The currencies that follow from the book: `currency()`, that of most entries, in which
 * a new one probably is, the account's if there is none; and `sumCurrency()`, to show beside the server's sums, which are
 * in the account's currency: its code if an entry names it or all entries are in others,
 * else '' (show none). home gives the account's currency.
 */
export function bookCurrencies(expenseList, home) {
  const sums = () => everything(expenseList.sums(), home());
  const currency = () => sums().sort((a, b) => b.rows - a.rows)[0]?.currency ?? shownHome(home());
  const sumCurrency = () => sums().find((s) => s.isHome)?.currency ?? (sums().length > 0 ? home() : shownHome(home()));
  return { currency, sumCurrency };
}
