import { currencyList } from '../currencylist.js';
import { timeZones } from '../days.js';
import { h, setText } from '../dom.js';
import { languageOf, languages, chooseLanguage } from '../language.js';
import { text } from '../text.js';
import { chooseTheme, themeOf, themes } from '../theme.js';
import { refusal, SavedForm } from './savedform.js';

/** The forms of the account dialog, in its order: each is an element and a fill that shows what is stored. */
export function accountForms(context) {
  return [nameForm(context), passwordForm(context), currencyForm(context), zoneForm(context), languageForm(context), themeForm(context)];
}

function nameForm({ settings }) {
  const input = h('input', { autocomplete: 'name', maxlength: 50, dir: 'auto' });
  return form({
    name: 'name', title: text('account.name'), hint: text('account.name.hint'), inputs: [['name', text('account.name'), input]],
    stored: () => ({ name: settings.name }),
    save: async ({ name }) => {
      if (!name.trim()) {
        throw refusal('name', text('account.name.missing'));
      }
      await settings.chooseName(name.trim());
    },
    saved: () => text('account.name.saved', { name: settings.name }),
  });
}

// A password manager finds whose password it is by the hidden user name.
function passwordForm({ session, api, changePassword }) {
  const user = h('input', { type: 'text', autocomplete: 'username', hidden: true, value: session.user.email });
  const current = h('input', { type: 'password', autocomplete: 'current-password' });
  const next = h('input', { type: 'password', autocomplete: 'new-password' });
  const rule = h('span', {});
  const made = form({
    name: 'password', title: text('account.password'), hint: [rule, ' ', text('account.password.hint')], press: text('account.password.change'),
    inputs: [['currentPassword', text('account.password.current'), current], ['newPassword', text('account.password.next'), next]],
    stored: () => ({ currentPassword: '', newPassword: '' }),
    save: async ({ currentPassword, newPassword }) => {
      required('currentPassword', currentPassword, text('account.password.current.missing'));
      required('newPassword', newPassword, text('account.password.next.missing'));
      await changePassword(currentPassword, newPassword);
      current.value = next.value = '';
    },
    saved: () => text('account.password.saved'),
  });
  made.element.querySelector('form').prepend(user);
  const showRule = ({ minPassword }) => setText(rule, text('account.password.rule', { count: minPassword }));
  return { ...made, fill: () => (made.fill(), api.options().then(showRule, () => {})) }; // not reached: a refusal says it
}

function currencyForm({ settings, currencies }) {
  const input = h('input', { maxlength: 3, autocomplete: 'off', class: 'upper' });
  const made = form({
    name: 'currency', title: text('account.currency'), hint: text('account.currency.hint'), inputs: [['currency', text('account.currency'), input]],
    stored: () => ({ currency: settings.currency }),
    save: ({ currency }) => settings.chooseCurrency(currency.trim().toUpperCase()),
    saved: () => text('account.currency.saved', { currency: settings.currency }),
  });
  made.element.append(currencyList(input, currencies));
  return made;
}

function zoneForm({ settings }) {
  const zones = h('datalist', { id: 'time-zones' });
  const input = h('input', { list: zones.id, autocomplete: 'off', spellcheck: 'false' });
  const made = form({
    name: 'zone', title: text('account.zone'), hint: text('account.zone.hint'), inputs: [['timeZone', text('account.zone'), input]],
    stored: () => ({ timeZone: settings.timeZone }),
    save: ({ timeZone }) => settings.chooseTimeZone(timeZone.trim()),
    saved: () => text('account.zone.saved', { zone: settings.timeZone }),
  });
  made.element.append(zones);
  // There are hundreds, which would take time from the first row.
  const offer = () => zones.childElementCount > 0 || zones.append(...timeZones().map((zone) => h('option', { value: zone }, zone.replaceAll('_', ' '))));
  return { ...made, fill: () => (offer(), made.fill()) };
}

function languageForm({ storage }) {
  return form({
    name: 'language', title: text('account.language'), hint: text('account.language.hint'), press: '',
    inputs: [['language', text('account.language'), choice('account.language', languages)]],
    stored: () => ({ language: languageOf(storage) }),
    save: ({ language }) => chooseLanguage(storage, language),
    saved: () => text('account.language.saved'),
  });
}

function themeForm({ storage }) {
  return form({
    name: 'theme', title: text('account.theme'), hint: text('account.theme.hint'), press: '',
    inputs: [['theme', text('account.theme'), choice('account.theme', themes)]],
    stored: () => ({ theme: themeOf(storage) }),
    save: ({ theme }) => chooseTheme(storage, theme),
    saved: () => text('account.theme.saved'),
  });
}

function choice(prefix, values) {
  return h('select', {}, values.map((value) => h('option', { value }, text(`${prefix}.${value}`))));
}

function form({ name, title, stored, ...options }) {
  const made = new SavedForm({ prefix: `account-${name}`, title, ...options });
  return { element: h('section', {}, made.element), fill: () => made.fill(stored()) };
}

function required(field, value, message) {
  if (!value) {
    throw refusal(field, message);
  }
}
