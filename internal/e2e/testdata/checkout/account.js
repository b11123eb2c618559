'use strict';

// Signing in and out. The token and the user are kept in localStorage, and the
// page is loaded anew once they are there.

/* exported account, find, note, headers */

const account = {
  token: localStorage.getItem('authToken'),
  user: JSON.parse(localStorage.getItem('currentUser') ?? 'null'),
};

function find(id) {
  return document.getElementById(id);
}

// note adds a line to what the page has told.
function note(text) {
  const line = document.createElement('li');
  line.textContent = text;
  find('notes').append(line);
}

function headers() {
  return { Authorization: `Bearer ${account.token}` };
}

async function enter(path, fields) {
  const answer = await fetch(`/api/auth/${path}`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(fields),
  });
  const said = await answer.json();
  if (!answer.ok) {
    note(said.error);
    return;
  }
  localStorage.setItem('authToken', said.token);
  localStorage.setItem('currentUser', JSON.stringify({ id: said.user.id, name: said.user.name }));
  location.reload();
}

let registers = false;

find('switch').addEventListener('click', () => {
  registers = !registers;
  find('name-part').hidden = !registers;
  find('enter').textContent = registers ? 'Create account' : 'Sign in';
  find('switch').textContent = registers ? 'I have an account' : 'Create an account';
});

find('account').addEventListener('submit', (event) => {
  event.preventDefault();
  const [name, email, password] = ['name', 'email', 'password'].map((id) => find(id).value);
  enter(registers ? 'register' : 'login', registers ? { name, email, password } : { email, password });
});

find('leave').addEventListener('click', () => {
  ['authToken', 'currentUser', 'transactions'].forEach((key) => localStorage.removeItem(key));
  find('book').hidden = true;
  find('door').hidden = false;
});

find(account.token && account.user ? 'book' : 'door').hidden = false;
