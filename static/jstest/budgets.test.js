import assert from 'node:assert/strict';
import { test } from 'node:test';
import { budgetState, windowOf } from '../js/budgetstate.js';
import { DaySums } from '../js/daysums.js';
import { alertText, Budgets, gauge, percent, budgetStatus } from '../js/budgets.js';

const budget = (fields) => ({
  _id: 'b1', name: 'Food', isActive: true, level: 'none', amount: 100, spent: 40, remaining: 60, percentage: 40, alertThreshold: 80, ...fields,
});

/** Budgets of a page whose book is not complete. */
function budgetsOf(api) {
  return new Budgets({ api, expenseList: Object.assign(new EventTarget(), { complete: false }) });
}

test('how a budget stands is said in words', () => {
  const words = (fields) => Object.values(budgetStatus(budget(fields))).join(' ').replaceAll(',', '.');
  assert.deepEqual([
    words({}),
    words({ level: 'threshold', remaining: 0.5 }),
    words({ level: 'threshold', remaining: 0 }),
    words({ level: 'exceeded', remaining: -12.345 }),
    words({ isActive: false, level: 'exceeded', spent: 7 }),
  ], ['On track 60.00 left', 'Nearly used up 0.50 left', 'Used up 0.00 left', 'Over budget by 12.345', 'Not running 7.00 spent']);
  assert.equal(alertText({ budgetName: 'Food', spent: 101, amount: 100, isOverBudget: true }).replaceAll(',0', '.0'), 'Over budget: Food, 101.00 of 100.00.');
});

test('only all of it is 100 %', () => {
  assert.deepEqual([0, 49.5, 99.9999, 100, 100.0001, 1000].map(percent).map((s) => s.replace(/[.,\s]/g, '')), ['0%', '50%', '99%', '100%', '101%', '1000%']);
});

test('the bar has its marks where they belong, and room for what is over', () => {
  assert.deepEqual(Object.values(gauge(budget({ percentage: 60 }))).map(Math.round), [50, 0, 67, 83]);
  const over = gauge(budget({ percentage: 150 }));
  assert.deepEqual([over.full + over.over, over.used], [100, over.full]);
  assert.deepEqual(gauge(budget({ percentage: 5000 })), { used: 50, over: 50, warn: 40, full: 50 });
});

test('an answer that is overtaken is followed by a newer one', async () => {
  let release;
  const answers = [new Promise((resolve) => { release = resolve; }), Promise.resolve([budget({ spent: 2 })])];
  const budgets = budgetsOf({ budgets: () => answers.shift() });
  const first = budgets.refresh();
  budgets.refresh();
  release([budget({ spent: 1 })]);
  await first;
  assert.deepEqual(budgets.list.map((b) => b.spent), [2]);
});

test('without an answer the last one stays', async () => {
  const answers = [Promise.resolve([budget()]), Promise.reject(new Error('no server'))];
  const budgets = budgetsOf({ budgets: () => answers.shift() });
  await budgets.refresh();
  await budgets.refresh();
  assert.equal(budgets.list.length, 1);
});

test('the most pressing comes first, and only what runs is an alert', async () => {
  const list = [
    budget({ _id: '1', name: 'fine' }), budget({ _id: '2', name: 'idle', isActive: false, level: 'exceeded' }),
    budget({ _id: '3', name: 'near', level: 'threshold' }), budget({ _id: '4', name: 'over', level: 'exceeded' }),
  ];
  const budgets = budgetsOf({ budgets: async () => list });
  await budgets.refresh();
  assert.deepEqual(budgets.list.map((b) => b.name), ['over', 'near', 'fine', 'idle']);
  assert.equal(budgets.alerts, 2);
});

test('a change names the version that was on the screen', async () => {
  const sent = [];
  const budgets = budgetsOf({ updateBudget: async (...args) => sent.push(args), budgets: async () => [] });
  await budgets.update(budget({ version: 3 }), { amount: 5 });
  assert.deepEqual(sent, [['b1', { amount: 5, version: 3 }]]);
});

test('a budget counts the entries of its period, as the server does, also those of days to come', () => {
  const now = Date.parse('2026-03-05T12:00:00Z');
  const row = (day, amount, fields = {}) => ({ day, date: day, amount, type: 'expense', category: 'food', ...fields });
  const sums = DaySums.of([
    row('2026-02-28', 99), row('2026-03-01', 70), row('2026-03-05', 5, { currency: 'INR' }), row('2026-03-31', 5.5), row('2026-04-01', 99),
    row('2026-03-02', 99, { category: 'bills' }), row('2026-03-02', 99, { type: 'income' }), row('2026-03-02', 8, { currency: 'EUR' }),
  ]);
  const state = budgetState({ category: 'food', amount: 100, period: 'monthly', alertThreshold: 80, startDate: null, endDate: null }, sums, { home: 'INR', now });
  assert.deepEqual([state.spent, state.remaining, state.percentage, state.level, state.isActive, state.upcoming], [80.5, 19.5, 80.5, 'threshold', true, 5_500_000n]);
  assert.deepEqual([state.periodStart, state.periodEnd], ['2026-03-01T00:00:00.000Z', '2026-04-01T00:00:00.000Z']);
  assert.deepEqual(state.byCurrency, [{ currency: 'EUR', spent: 8 }]);
  const all = budgetState({ category: 'all', amount: 179.5, period: 'monthly', alertThreshold: 80 }, sums, { home: 'INR', now });
  assert.deepEqual([all.spent, all.level], [179.5, 'threshold']);
});

test('the days that count are those of the server', () => {
  const days = (period, day, life = {}) => Object.values(windowOf({ period, ...life }, day)).join(' ');
  assert.deepEqual([days('monthly', '2024-02-29'), days('weekly', '2026-11-21'), days('weekly', '2026-11-22'), days('weekly', '2027-01-01'), days('yearly', '2026-11-21')],
    ['2024-02-01 2024-02-29', '2026-11-15 2026-11-21', '2026-11-22 2026-11-28', '2026-12-27 2027-01-02', '2026-01-01 2026-12-31']);
  const life = { startDate: '2026-11-10T00:00:00.000Z', endDate: '2027-01-05T00:00:00.000Z' };
  assert.deepEqual(['2026-10-01', '2026-11-21', '2026-12-05', '2027-02-01'].map((day) => days('monthly', day, life)),
    ['2026-11-10 2026-11-30', '2026-11-10 2026-11-30', '2026-12-01 2026-12-31', '2027-01-01 2027-01-05']);
});
