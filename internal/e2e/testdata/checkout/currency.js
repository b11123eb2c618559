'use strict';

// The choice of currencies, without which the form cannot be sent.

/* global account, find, headers */

let currencies = [];
let preferred = 'INR';

async function read(path) {
  const answer = await fetch(`/api/currency/${path}`, { headers: headers() });
  const said = await answer.json();
  if (!said.success) throw new Error(`/api/currency/${path} was answered ${answer.status}`);
  return said.data;
}

function showCurrencies() {
  if (currencies.length === 0) return;
  for (const select of [find('currency'), find('preferred')]) {
    select.replaceChildren(...currencies.map((c) => new Option(`${c.symbol} ${c.code} - ${c.name}`, c.code)));
    select.value = preferred;
  }
}

async function loadCurrencies() {
  ({ currencies } = await read('supported'));
  showCurrencies();
}

async function loadPreference() {
  preferred = (await read('preference')).preferredCurrency;
  find('money').textContent = `Currency: ${preferred}`;
  showCurrencies();
}

find('money').addEventListener('click', async () => {
  find('preference').showModal();
  const { rates, lastUpdated } = await read(`rates?base=${preferred}`);
  const known = Object.keys(rates).map((code) => `${code} ${rates[code].toFixed(4)}`);
  find('rates').textContent = `${known.join(', ')} of ${new Date(lastUpdated).getFullYear()}`;
});

find('keep').addEventListener('click', async () => {
  const answer = await fetch('/api/currency/preference', {
    method: 'PUT',
    headers: { ...headers(), 'Content-Type': 'application/json' },
    body: JSON.stringify({ currency: find('preferred').value }),
  });
  if ((await answer.json()).success) location.reload();
});

document.addEventListener('DOMContentLoaded', () => {
  if (!account.token) return;
  loadCurrencies();
  loadPreference();
});
