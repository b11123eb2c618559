/**
 * The dashboard of a range of days from the book, as `dashboard:update` has it, for
 * when the server cannot be asked, or of another currency than home, the account's.
 */
export function dashboardOf(sums, { from, to, home, currency = home }) {
  const names = currency === home ? ['', home] : [currency];
  const all = new Map([...sums.between(from, to, home)].map(([name, sum]) => [name || home, sum]));
  const own = all.get(currency) ?? { rows: 0, income: 0n, spent: 0n, categories: new Map() };
  all.delete(currency);
  return {
    from, to, currency, version: 0,
    totals: totalsOf(own),
    byCurrency: [...all].map(([other, sum]) => ({ currency: other, ...totalsOf(sum) })).sort((a, b) => (a.currency < b.currency ? -1 : 1)),
    byCategory: categories(own),
    series: sums.days(from, to).map(([date, currencies]) => day(date, currencies, names)).filter((d) => d !== null),
  };
}

function totalsOf({ income, spent, rows }) {
  return { income: inUnits(income), expense: inUnits(spent), balance: inUnits(income - spent), count: rows };
}

function categories({ categories: all, spent }) {
  return [...all].map(([category, sum]) => ({ category, total: inUnits(sum.spent), count: sum.rows, percentage: share(sum.spent, spent) }))
    .sort((a, b) => b.total - a.total || (a.category < b.category ? -1 : 1));
}

function day(date, currencies, names) {
  const sums = [...new Set(names)].map((name) => currencies.get(name)).filter(Boolean);
  const total = (field) => inUnits(sums.reduce((sum, s) => sum + s[field], 0n));
  return sums.length === 0 ? null : { date, income: total('income'), expense: total('spent') };
}

/** A part in percent of the whole, rounded to six decimals, as the server does. */
export function share(part, whole) {
  return whole === 0n ? 0 : Math.round((Number(part) / Number(whole)) * 1e8) / 1e6;
}

/** Millionths as a number, as JSON has amounts. */
export function inUnits(value) {
  return Number(value) / 1e6;
}
