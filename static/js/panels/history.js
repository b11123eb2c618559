import { moment } from '../days.js';
import { DeviceNames } from '../devicenames.js';
import { h, iconButton, setText, soon } from '../dom.js';
import { drawer } from '../drawer.js';
import { sentence } from '../format.js';
import { History } from '../history.js';
import { text, textParts } from '../text.js';
import { fieldName, fieldValue } from './fieldvalues.js';

/** The dialog with the history of an entry: who changed what, when, on which device. */
export function mount(context) {
  const panel = new HistoryPanel(context);
  context.history = panel;
  return { overlay: panel.element };
}

class HistoryPanel {
  #context;
  #names;
  #history;
  #row = null;
  #title = h('h2', { id: 'history-title', tabIndex: -1 });
  #list = h('ol', { class: 'history' });
  #note = h('p', { class: 'hint', role: 'status' });
  #more = h('button', { type: 'button', class: 'plain small', hidden: true, on: { click: () => this.#loadMore() } });

  constructor(context) {
    this.#context = context;
    this.#names = new DeviceNames(context);
    this.#history = new History(context.api);
    this.element = drawer({ className: 'drawer', title: 'history-title', closed: () => this.#closed() },
      h('div', { class: 'sheet' },
        h('header', {}, this.#title, iconButton('close', text('frame.close'), () => this.element.close())), this.#list, this.#note, this.#more));
    this.#history.addEventListener('change', () => this.#row && this.#render());
    context.expenseList.addEventListener('change', soon(() => this.#row && this.#follow(), 200));
  }

  /** Opens with a row that the server has. */
  open(row) {
    this.#row = row;
    this.#list.replaceChildren();
    this.element.showModal();
    this.#title.focus();
    this.#names.load().then(() => this.#row && this.#render());
    return this.#history.open(row.id);
  }

  #closed() {
    this.#row = null;
    this.#history.close();
  }

  // Another version has come while the history is shown.
  #follow() {
    const row = this.#context.expenseList.rows().find((r) => r.id === this.#row.id);
    if (row && !this.#history.loading && row.version !== this.#row.version) {
      this.#row = row;
      this.#history.reload();
    }
  }

  async #loadMore() {
    const shown = this.#list.children.length;
    await (this.#history.error ? this.#history.reload() : this.#history.loadMore());
    const next = this.#list.children[shown] ?? this.#title;
    next.tabIndex = -1;
    next.focus();
  }

  #render() {
    const { entries, error, loading, loaded, more, cut } = this.#history;
    setText(this.#title, text('history.title', { description: this.#row.description }));
    this.#list.replaceChildren(...withCurrencies(this.#history).map((entry) => this.#entry(entry)));
    this.#list.hidden = entries.length === 0;
    setText(this.#note, error ? sentence(error.message)
      : loading && !loaded ? text('history.loading')
        : [cut && text('history.cut'), this.#row.pending && text('history.waiting')].filter(Boolean).join(' '));
    this.#more.hidden = !error && !more;
    setText(this.#more, text(error ? 'history.retry' : 'history.more'));
  }

  #entry(entry) {
    return h('li', {},
      h('p', { class: 'what' }, h('span', {}, textParts(`history.${wordOf(entry)}`, { who: h('b', {}, this.#names.who(entry)) }))),
      h('p', { class: 'hint' }, moment(entry.at)),
      changesOf(entry));
  }
}

// The owner's log has invitations among the changes of whom an entry is shared with.
function wordOf({ action, changes }) {
  return action === 'shared' && changes.length === 0 ? 'invited' : action;
}

function changesOf({ action, changes, currency }) {
  if (action === 'updated' && changes.length === 0) {
    return h('p', { class: 'hint' }, text('history.unchanged'));
  }
  return h('dl', { class: 'changes' }, shownChanges(changes).map(({ field, from, to }) => h('div', {},
    h('dt', {}, fieldName(field)),
    from === undefined ? null : h('dd', { class: 'was' }, h('span', { class: 'only-read' }, `${text('history.was')} `), fieldValue(field, { currency: currency.from, ...from })),
    h('dd', { class: 'is' }, from === undefined ? null : h('span', { class: 'only-read' }, `${text('history.is')} `), fieldValue(field, { currency: currency.to, ...to })))));
}

// A date and its day are shown as one, with the currency where an amount is.
function shownChanges(changes) {
  const side = (which) => Object.fromEntries(changes.map((c) => [c.field, c[which] ?? '']));
  const [from, to] = [side('from'), side('to')];
  const both = (field) => changes.some((c) => c.field === field);
  return changes
    .filter(({ field }) => field !== 'day' || !both('date'))
    .filter(({ field }) => field !== 'currency' || !both('amount'))
    .map((change) => ({ field: change.field === 'day' ? 'date' : change.field, from: change.from === undefined ? undefined : from, to }));
}

// What currency the entry had before and after each change.
function withCurrencies({ entries, expense }) {
  let to = expense?.currency ?? '';
  return entries.map((entry) => {
    const change = entry.changes.find(({ field }) => field === 'currency');
    const after = change ? change.to ?? '' : to;
    const from = change ? change.from ?? '' : after;
    to = from;
    return { ...entry, currency: { from, to: after } };
  });
}
