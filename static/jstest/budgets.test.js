import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertText, Budgets, gauge, percent, budgetStatus } from '../js/budgets.js';

const budget = (fields) => ({
  _id: 'b1', name: 'Food', isActive: true, level: 'none', amount: 100, spent: 40, remaining: 60, percentage: 40, alertThreshold: 80, ...fields,
});

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
  const budgets = new Budgets({ budgets: () => answers.shift() });
  const first = budgets.refresh();
  budgets.refresh();
  release([budget({ spent: 1 })]);
  await first;
  assert.deepEqual(budgets.list.map((b) => b.spent), [2]);
});

test('without an answer the last one stays', async () => {
  const answers = [Promise.resolve([budget()]), Promise.reject(new Error('no server'))];
  const budgets = new Budgets({ budgets: () => answers.shift() });
  await budgets.refresh();
  await budgets.refresh();
  assert.equal(budgets.list.length, 1);
});

test('the most pressing comes first, and only what runs is an alert', async () => {
  const list = [
    budget({ _id: '1', name: 'fine' }), budget({ _id: '2', name: 'idle', isActive: false, level: 'exceeded' }),
    budget({ _id: '3', name: 'near', level: 'threshold' }), budget({ _id: '4', name: 'over', level: 'exceeded' }),
  ];
  const budgets = new Budgets({ budgets: async () => list });
  await budgets.refresh();
  assert.deepEqual(budgets.list.map((b) => b.name), ['over', 'near', 'fine', 'idle']);
  assert.equal(budgets.alerts, 2);
});

test('a change names the version that was on the screen', async () => {
  const sent = [];
  const budgets = new Budgets({ updateBudget: async (...args) => sent.push(args), budgets: async () => [] });
  await budgets.update(budget({ version: 3 }), { amount: 5 });
  assert.deepEqual(sent, [['b1', { amount: 5, version: 3 }]]);
});
