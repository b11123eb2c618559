/**
 * The dashboard of a range of days from the book, as `dashboard:update` has it, for
 * when the server cannot be asked.
 */
export function dashboardOf(sums, { from, to, home }) {
  const byCurrency = sums.between(from, to, home);
  const own = byCurrency.get('') ?? { rows: 0, income: 0n, spent: 0n, categories: new Map() };
  byCurrency.delete('');
  return {
    from, to, currency: home, version: 0,
    totals: totalsOf(own),
    byCurrency: [...byCurrency].map(([currency, sum]) => ({ currency, ...totalsOf(sum) })).sort((a, b) => (a.currency < b.currency ? -1 : 1)),
    byCategory: categories(own),
    series: sums.days(from, to).map(([date, currencies]) => day(date, currencies, home)).filter((d) => d !== null),
  };
}

function totalsOf({ income, spent, rows }) {
  return { income: inUnits(income), expense: inUnits(spent), balance: inUnits(income - spent), count: rows };
}

function categories({ categories: all, spent }) {
  return [...all].map(([category, sum]) => ({ category, total: inUnits(sum.spent), count: sum.rows, percentage: share(sum.spent, spent) }))
    .sort((a, b) => b.total - a.total || (a.category < b.category ? -1 : 1));
}

function day(date, currencies, home) {
  const sums = [...new Set(['', home])].map((name) => currencies.get(name)).filter(Boolean);
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
