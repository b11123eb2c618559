// Signs this frame in as the real page would, and shows the real page.
import { Api } from '/js/api.js';
import * as sessions from '/js/session.js';
import { browserStorage } from '/js/storage.js';

const account = document.querySelector('#account');
try {
  sessions.open(browserStorage(), await new Api().login(account.dataset.email, account.dataset.password));
  location.replace('/');
} catch (err) {
  account.textContent = err.message;
}
