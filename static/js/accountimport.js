/** Reports whether a file is to be read as an export of this program: by its name, or because it begins as JSON does. */
export async function isExport(file) {
  return /\.json$/i.test(file.name) || /^\s*\{/.test(await file.slice(0, 64).text());
}

/**
 * What became, or would become, of an export, in the form that a table's import has:
 * totals over all kinds of things in it, a row for each refusal, and nothing to decide.
 */
export function asImport({ counts, refusals, import: made = null }) {
  const kinds = Object.values(counts);
  const total = (outcome) => kinds.reduce((sum, count) => sum + count[outcome], 0);
  const totals = {
    rows: refusals.length, new: total('new'), changed: total('changed'),
    duplicates: total('same') + total('kept'), refused: total('refused'), skipped: total('skipped'), read: total('read'),
  };
  return { account: true, import: made, mapping: null, questions: [], totals, rows: refusals.map((one) => ({ status: 'refused', ...one })) };
}
