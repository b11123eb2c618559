import assert from 'node:assert/strict';
import test from 'node:test';

import { isExport } from '../js/accountimport.js';
import { FileImport, importQuery } from '../js/fileimport.js';
import { settled } from './fakes.js';

const fileOf = (name, content) => ({ name, slice: () => ({ text: async () => content }) });
const file = fileOf('march.csv', 'Date,Amount');
const preview = (over = {}) => ({ mapping: { columns: { date: 1, amount: 3 } }, questions: [], totals: { rows: 2, new: 1 }, rows: [], ...over });

/** An API whose answers are given one by one, in any order. */
function fakeApi() {
  const asked = [];
  const importFile = (_, query) => new Promise((resolve, reject) => asked.push({ query, resolve, reject }));
  return { asked, importFile, importAccount: importFile, undoImport: async (id) => ({ id, state: 'undone', removed: 1, kept: 0 }) };
}

test('a preview that is overtaken by a later one counts for nothing', async () => {
  const api = fakeApi();
  const work = new FileImport(api);
  const first = work.open(file);
  const second = work.choose('dates', 'mdy');
  await settled();
  api.asked[1].resolve(preview({ source: 'later' }));
  await second;
  api.asked[0].resolve(preview({ source: 'earlier' }));
  await first;
  assert.equal(work.preview.source, 'later');
  assert.equal(work.busy, '');
});

test('nothing is imported before every question is decided', async () => {
  const api = fakeApi();
  const work = new FileImport(api);
  const opened = work.open(file);
  await settled();
  api.asked[0].resolve(preview({ questions: [{ parameter: 'dates' }] }));
  await opened;
  assert.equal(work.ready, false);
  const chosen = work.choose('dates', 'dmy');
  await settled();
  api.asked[1].resolve(preview());
  await chosen;
  assert.equal(work.ready, true);
});

test('duplicates that are included are counted and sent', async () => {
  const api = fakeApi();
  const work = new FileImport(api);
  const opened = work.open(file);
  await settled();
  api.asked[0].resolve(preview());
  await opened;
  work.include(7, true);
  assert.equal(work.count, 2);
  const run = work.run();
  await settled();
  assert.equal(api.asked[1].query.include, '7');
  api.asked[1].resolve({ import: { id: 'i', state: 'done' }, totals: { new: 2 } });
  await run;
  await work.undo();
  assert.equal(work.result.import.state, 'undone');
});

test('a column that is chosen is sent with those that were guessed', async () => {
  const api = fakeApi();
  const work = new FileImport(api);
  const opened = work.open(file);
  await settled();
  api.asked[0].resolve(preview());
  await opened;
  work.chooseColumn('amount', 0);
  work.chooseColumn('debit', 4);
  await settled();
  assert.equal(api.asked[2].query.columns, 'date:1,amount:3,debit:4');
});

test('an error is told, and the choice can be made again', async () => {
  const api = fakeApi();
  const work = new FileImport(api);
  const opened = work.open(file);
  await settled();
  api.asked[0].reject(new Error('The file is empty'));
  await opened;
  assert.equal(work.error.message, 'The file is empty');
  assert.equal(work.busy, '');
});

test('the query has the name of the file and what was chosen', () => {
  assert.equal(importQuery(file, { delimiter: '\t', dates: 'dmy', decimal: '', dryRun: 1 }), 'name=march.csv&dates=dmy&delimiter=%09&dryRun=1');
});

test('an export is known by its name or its beginning', async () => {
  assert.equal(await isExport(fileOf('mine.JSON', '')), true);
  assert.equal(await isExport(fileOf('mine.txt', '\uFEFF\n{"format"')), true);
  assert.equal(await isExport(file), false);
});

test('an export is previewed and imported as a whole', async () => {
  const count = { read: 6, new: 2, same: 1, changed: 1, kept: 1, refused: 1, skipped: 0 };
  const summary = { counts: { expenses: count, budgets: count }, refusals: [{ section: 'budgets', number: 3, reason: 'no limit' }] };
  const api = fakeApi();
  const work = new FileImport(api);
  const opened = work.open(fileOf('mine.json', '{}'));
  await settled();
  assert.equal(api.asked[0].query.dryRun, 1);
  api.asked[0].resolve(summary);
  await opened;
  assert.deepEqual(work.preview.totals, { rows: 1, new: 4, changed: 2, duplicates: 4, refused: 2, skipped: 0, read: 12 });
  assert.deepEqual([work.ready, work.count], [true, 6]);
  const run = work.run();
  await settled();
  assert.equal(api.asked[1].query.dryRun, undefined);
  api.asked[1].resolve({ ...summary, import: { id: 'i', state: 'done' } });
  await run;
  assert.deepEqual([work.result.account, work.result.totals.new, work.result.import.state], [true, 4, 'done']);
  await work.undo();
  assert.equal(work.result.import.state, 'undone');
});
