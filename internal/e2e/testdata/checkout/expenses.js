'use strict';

// The list, the form and what it does with an answer.

/* global account, find, headers, note, save, remove */
/* exported add, replace, drop, rename */

let rows = [];

function row(expense) {
  return {
    id: expense._id,
    text: expense.description,
    amount: expense.type === 'expense' ? -expense.amount : expense.amount,
    category: expense.category,
    type: expense.type,
    date: expense.date,
  };
}

function show() {
  const newestFirst = rows.toSorted((a, b) => new Date(b.date) - new Date(a.date));
  find('list').replaceChildren(...newestFirst.map(line));
  localStorage.setItem('transactions', JSON.stringify(rows));
}

function line(entry) {
  const item = document.createElement('li');
  item.className = 'row';
  for (const [part, text] of Object.entries({ description: entry.text, amount: entry.amount.toFixed(2), mark: entry.pending ? 'Pending' : '' })) {
    const span = document.createElement('span');
    span.className = part;
    span.textContent = text;
    item.append(span);
  }
  const button = document.createElement('button');
  button.textContent = `Delete ${entry.text}`;
  button.addEventListener('click', () => removeRow(entry.id));
  item.append(button);
  return item;
}

function add(expense) {
  rows.push(row(expense));
  show();
}

function replace(expense) {
  rows = rows.map((r) => (r.id === expense._id ? row(expense) : r));
  show();
}

function drop(id) {
  rows = rows.filter((r) => r.id !== id);
  show();
}

function rename(from, to) {
  const known = rows.find((r) => r.id === from);
  if (known) known.id = to;
}

async function removeRow(id) {
  try {
    await remove(id);
    drop(id);
    note('Deleted');
  } catch {
    rows.find((r) => r.id === id).pending = true;
    show();
    note('Will be deleted');
  }
}

find('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const saved = await save({
    description: find('text').value.trim(), amount: Math.abs(find('amount').value), category: find('category').value, type: find('type').value,
  });
  const stored = saved.data ?? saved;
  add({ ...stored, amount: Math.abs(find('amount').value), type: find('type').value, date: new Date().toISOString() });
  ['text', 'amount', 'category', 'type'].forEach((id) => { find(id).value = ''; });
  note('Added');
});

let typing;

find('text').addEventListener('input', () => {
  clearTimeout(typing);
  if (find('text').value.trim().length < 3) return;
  typing = setTimeout(suggest, 500);
});

// suggest chooses a category that the server is sure of, and does without one offline.
async function suggest() {
  const asked = encodeURIComponent(find('text').value);
  const answer = await fetch(`/api/categorization/suggest?description=${asked}`, { headers: headers() }).catch(() => null);
  const { data } = answer?.ok ? await answer.json() : {};
  const best = data?.primarySuggestion;
  if (best && best.confidence > 0.8) find('category').value = best.category;
}

async function load() {
  const answer = await fetch('/api/expenses?page=1&limit=50', { headers: headers() });
  const said = await answer.json();
  rows = (said.success ? said.data : said).map(row);
  show();
}

document.addEventListener('DOMContentLoaded', () => account.token && load());
