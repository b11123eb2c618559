import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeOf } from '../js/address.js';
import { useZone } from '../js/days.js';
import { daysOfPlace, devicesOf, filterOfDays, filtersOf, me, monthsOf, peopleOf, rowsOfPlace, splitUpcoming } from '../js/filter.js';
import { fold, prepareSearch, textOfRow } from '../js/searchtext.js';

useZone('UTC');
const now = Date.parse('2026-11-15T12:00:00Z');
const ann = { id: 'a'.repeat(24), name: 'Ann' };

function row(description, day, fields = {}) {
  return { description, day, amount: 10, category: 'food', type: 'expense', ...fields };
}

const rows = [
  row('Rent in advance', '2026-12-01', { amount: 900, category: 'bills' }),
  row('Concert', '2026-11-20', { category: 'entertainment', amount: 45.5 }),
  row('Café crème', '2026-11-15', { merchant: 'Straße 7', tags: ['work'] }),
  row('Pay', '2026-11-01', { type: 'income', category: 'salary', amount: 2000, device: 'phone' }),
  row('House', '2026-10-31', { sharedBy: ann, amount: 840, notes: 'First half' }),
  row('Lunch', '2026-10-02', { amount: 12.5 }),
  row('Old', '2024-02-29', { amount: 0.01 }),
];

const found = (changes) => rowsOfPlace(rows, { ...placeOf('entries'), month: 'all', ...changes }, now).map((r) => r.description);

test('a month shows its days, and the present one what is entered for later as well', () => {
  const inMonth = (month) => found({ month });
  assert.deepEqual(inMonth(''), ['Rent in advance', 'Concert', 'Café crème', 'Pay']);
  assert.deepEqual(inMonth('2026-11'), inMonth(''));
  assert.deepEqual(inMonth('2026-12'), ['Rent in advance']);
  assert.deepEqual(inMonth('2026-10'), ['House', 'Lunch']);
  assert.deepEqual(inMonth('2024-02'), ['Old']);
  assert.deepEqual(inMonth('2025-01'), []);
  assert.equal(inMonth('all').length, rows.length);
});

test('days go before the month, and their ends are included', () => {
  assert.deepEqual(found({ month: '2024-02', from: '2026-10-31', to: '2026-11-01' }), ['Pay', 'House']);
  assert.deepEqual(found({ from: '2026-11-20' }), ['Rent in advance', 'Concert']);
  assert.deepEqual(found({ to: '2026-10-02' }), ['Lunch', 'Old']);
  assert.deepEqual(daysOfPlace({ month: '2026-10', from: '', to: '2026-01-01' }, now), { from: '', to: '2026-01-01' });
});

test('a search finds what has all words in description, merchant, notes and tags, without accents', () => {
  assert.deepEqual(found({ q: 'cafe CREME' }), ['Café crème']);
  assert.deepEqual(found({ q: 'strasse' }), ['Café crème']);
  assert.deepEqual(found({ q: 'creme half' }), []);
  assert.deepEqual(found({ q: 'half' }), ['House']);
  assert.deepEqual(found({ q: '#work' }), ['Café crème']);
  assert.deepEqual(found({ q: '  ' }).length, rows.length);
  assert.equal(fold('ŁÓDŹ Ærø ﬁn'), 'lodz aero fin');
});

test('filters are joined', () => {
  assert.deepEqual(found({ kind: 'income' }), ['Pay']);
  assert.deepEqual(found({ category: 'food', max: '12.5' }), ['Café crème', 'Lunch', 'Old']);
  assert.deepEqual(found({ min: '12.5', max: '45.5' }), ['Concert', 'Lunch']);
  assert.deepEqual(found({ max: '0' }), []);
  assert.deepEqual(found({ person: ann.id }), ['House']);
  assert.deepEqual(found({ person: me, q: 'h' }), ['Lunch']);
  assert.deepEqual(found({ device: 'phone' }), ['Pay']);
  assert.deepEqual(devicesOf(rows), ['phone']);
});

test('filters that are in use are counted, days once and the month not at all', () => {
  assert.deepEqual(filtersOf({ ...placeOf('entries'), month: '2026-10' }), []);
  assert.deepEqual(filtersOf({ ...placeOf('entries'), q: 'a', from: '2026-10-01', to: '2026-10-02' }), ['q', 'from']);
  assert.deepEqual(filtersOf({ ...placeOf('entries'), to: '2026-10-02' }), ['to']);
});

test('days of a chart or a budget are found, a whole month by its name', () => {
  assert.deepEqual(filterOfDays('2026-11'), { month: '2026-11' });
  assert.deepEqual(filterOfDays('2026-11-01', '2026-11-30'), { month: '2026-11' });
  assert.deepEqual(filterOfDays('2026-11-12'), { month: '2026-11', from: '2026-11-12', to: '2026-11-12' });
  assert.deepEqual(filterOfDays('2026-10-26', '2026-11-01'), { month: '2026-10', from: '2026-10-26', to: '2026-11-01' });
});

test('days to come stand apart, the soonest first', () => {
  const { upcoming, past } = splitUpcoming(rows, now);
  assert.deepEqual(upcoming.map((r) => r.description), ['Concert', 'Rent in advance']);
  assert.equal(past[0].description, 'Café crème');
  assert.deepEqual(splitUpcoming([], now), { upcoming: [], past: [] });
});

test('months with entries and people who share some are listed', () => {
  assert.deepEqual(monthsOf(rows), ['2026-12', '2026-11', '2026-10', '2024-02']);
  assert.deepEqual(monthsOf([]), []);
  assert.deepEqual(peopleOf(rows), [ann]);
});

test('a search over 20,000 rows is quick, the first one too', () => {
  const many = Array.from({ length: 20_000 }, (_, i) => row(`Café number ${i}`, '2026-11-15', { notes: 'some note about it' }));
  const started = process.cpuUsage();
  assert.equal(rowsOfPlace(many, { ...placeOf('entries'), q: 'cafe 19999' }, now).length, 1);
  const { user, system } = process.cpuUsage(started); // in microseconds, without the time that other programs took
  assert.ok(user + system < 1_000_000, 'far from the 50 ms that it takes');
});

test('rows are folded in slices, each once', () => {
  const many = Array.from({ length: 4_500 }, (_, i) => row(`Café ${i}`, '2026-11-15'));
  const waiting = [];
  prepareSearch(many, (work) => waiting.push(work));
  let rounds = 0;
  for (; waiting.length > 0; rounds++) {
    waiting.shift()();
  }
  assert.equal(rounds, 5);
  const last = many.at(-1);
  last.description = 'changed, which rows never are';
  assert.equal(textOfRow(last), 'cafe 4499');
});
