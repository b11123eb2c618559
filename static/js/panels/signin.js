import { h, iconButton, icon, setAttribute } from '../dom.js';
import { sentence } from '../format.js';
import { currencyOfRegion } from '../regioncurrency.js';
import { text } from '../text.js';

const modes = {
  login: { title: 'signin.title', press: 'signin.title', question: 'signin.new', other: 'signin.create', password: 'current-password' },
  register: { title: 'signin.create', press: 'signin.register', question: 'signin.known', other: 'signin.title', password: 'new-password' },
};

/**
 * The form in front of the page. entered receives the server's answer; notice
 * says why a session ended, and email whose it was.
 */
export function signIn({ api, entered, notice = '', email = '' }) {
  const form = new SignIn({ api, entered });
  form.start(notice, email);
  return form;
}

class SignIn {
  #api;
  #entered;
  #mode = 'login';
  #closed = false;
  #isChosen = false; // whether somebody has chosen a currency
  #title = h('h1', {});
  #notice = h('p', { class: 'notice', role: 'status' });
  #error = h('p', { class: 'error', role: 'alert' });
  #name = h('input', { id: 'signin-name', name: 'name', autocomplete: 'name', maxlength: 50 });
  #email = h('input', { id: 'signin-email', name: 'email', type: 'email', autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false' });
  #password = h('input', { id: 'signin-password', name: 'password', type: 'password' });
  #currency = h('select', { id: 'signin-currency', aria: { describedby: 'signin-currency-hint' }, on: { change: () => { this.#isChosen = true; } } }, h('option', { value: '' }, text('signin.currency.later')));
  #rule = h('p', { class: 'hint', id: 'signin-rule' });
  #nameField = field(text('signin.name'), this.#name);
  #passwordField;
  #currencyField = field(text('account.currency'), this.#currency);
  #press = h('button', { type: 'submit', class: 'primary wide' });
  #question = h('span', {});
  #forgot = h('p', { class: 'other' }, text('account.forgot'));
  #other = h('button', { type: 'button', class: 'link', on: { click: () => this.#turn() } });
  #show = iconButton('eye', text('signin.show'), () => this.#toggle(), { aria: { pressed: 'false', label: text('signin.show') } });

  constructor({ api, entered }) {
    this.#api = api;
    this.#entered = entered;
    this.#passwordField = field(text('signin.password'), this.#password, this.#show);
    this.#passwordField.append(this.#rule);
    this.#currencyField.append(h('p', { class: 'hint', id: 'signin-currency-hint' }, text('signin.currency.hint')));
    this.element = h('main', { class: 'signin', id: 'main' }, h('div', { class: 'card' },
      h('div', { class: 'brand' }, icon('mark'), h('span', {}, text('frame.title'))),
      this.#title, this.#notice,
      h('form', { noValidate: true, on: { submit: (event) => this.#submitted(event) } },
        this.#nameField, field(text('signin.email'), this.#email), this.#passwordField, this.#currencyField,
        this.#error, this.#press),
      h('p', { class: 'other' }, this.#question, ' ', this.#other), this.#forgot));
  }

  start(notice, email) {
    this.#notice.textContent = notice;
    this.#email.value = email;
    this.#render();
  }

  focus() {
    const first = [this.#mode === 'register' && this.#name, this.#email, this.#password].find((input) => input && !input.value);
    (first || this.#password).focus();
  }

  /** Follows the server: it may take no registration, and has a rule for passwords. */
  follow({ registration, minPassword }) {
    this.#closed = !registration;
    this.#mode = registration ? this.#mode : 'login';
    this.#rule.textContent = text('account.password.rule', { count: minPassword });
    this.#render();
  }

  /** Offers currencies, and one that somebody here probably has. */
  #offer(currencies) {
    const guess = currencyOfRegion(navigator.language, currencies.map(({ code }) => code));
    this.#currency.append(...currencies.map(({ code, name }) => h('option', { value: code }, `${code} · ${name}`)));
    if (!this.#isChosen) {
      this.#currency.value = guess;
    }
  }

  #turn() {
    this.#mode = this.#mode === 'login' ? 'register' : 'login';
    this.#currency.length > 1 || this.#api.currencies().then((all) => this.#offer(all), () => {}); // not reached: one is chosen later
    this.#error.textContent = '';
    this.#render();
    this.focus();
  }

  #render() {
    const { title, press, question, other, password } = modes[this.#mode];
    this.#title.textContent = text(title);
    this.#press.textContent = text(press);
    this.#question.textContent = text(this.#closed ? 'signin.closed' : question);
    this.#other.hidden = this.#closed;
    this.#other.textContent = text(other);
    [this.#nameField, this.#currencyField, this.#rule].forEach((element) => { element.hidden = this.#mode === 'login'; });
    setAttribute(this.#password, 'aria-describedby', this.#mode === 'register' && this.#rule.id);
    this.#forgot.hidden = this.#mode !== 'login';
    this.#password.autocomplete = password;
    document.title = `${text(title)} · ${text('frame.title')}`;
  }

  #toggle() {
    const shown = this.#password.type === 'text';
    this.#password.type = shown ? 'password' : 'text';
    setAttribute(this.#show, 'aria-pressed', String(!shown));
  }

  async #submitted(event) {
    event.preventDefault();
    const missing = this.#inputs().find((input) => !input.value.trim());
    if (missing) {
      this.#fail(text('signin.missing', { field: missing.labels[0].textContent }), missing);
      return;
    }
    this.#busy(true);
    try {
      this.#entered(await this.#enter());
    } catch (err) {
      this.#fail(sentence(err.message), this.#inputs().find((input) => err.message.startsWith(`"${input.name}"`)) ?? this.#password);
    } finally {
      this.#busy(false);
    }
  }

  #inputs() {
    return this.#mode === 'register' ? [this.#name, this.#email, this.#password] : [this.#email, this.#password];
  }

  #enter() {
    const [name, email, password] = [this.#name.value.trim(), this.#email.value.trim(), this.#password.value];
    return this.#mode === 'register' ? this.#api.register(name, email, password, this.#currency.value) : this.#api.login(email, password);
  }

  #busy(busy) {
    setAttribute(this.#press, 'aria-busy', busy && 'true');
    this.#press.disabled = busy;
  }

  #fail(reason, input) {
    this.#error.textContent = reason;
    this.#press.disabled = false;
    [this.#name, this.#email, this.#password].forEach((each) => setAttribute(each, 'aria-invalid', each === input && 'true'));
    input.focus();
  }
}

function field(label, input, extra = null) {
  return h('div', { class: 'field' }, h('label', { for: input.id }, label), h('div', { class: 'control' }, input, extra));
}
