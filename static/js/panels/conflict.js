import { conflictOf, draftAgain, mergedData, mineData } from '../conflict.js';
import { moment } from '../days.js';
import { DeviceNames } from '../devicenames.js';
import { h, iconButton, setText } from '../dom.js';
import { drawer } from '../drawer.js';
import { sentence } from '../format.js';
import { undecided } from '../merge.js';
import { text, textParts } from '../text.js';
import { fieldName, fieldValue } from './fieldvalues.js';

/**
 * The dialog in which a person decides between two changes of an entry, field by
 * field. It closes when the decision is stored; if the entry was changed again, it
 * shows the newest.
 */
export class ConflictDialog {
  #context;
  #names;
  #conflict = null;
  #choices = {};
  #decided = () => {};
  #title = h('h2', { id: 'conflict-title', tabIndex: -1 });
  #body = h('div', { class: 'sides' });
  #error = h('p', { class: 'error', role: 'alert' });
  #buttons = h('div', { class: 'buttons' });

  constructor(context) {
    this.#context = context;
    this.#names = new DeviceNames(context);
    this.element = drawer({ className: 'conflict', title: 'conflict-title', closed: () => this.#closed() },
      h('div', { class: 'sheet' },
        h('header', {}, this.#title, iconButton('close', text('frame.close'), () => this.element.close())), this.#body, this.#error, this.#buttons));
  }

  /** Opens with a parked operation; decided is called with a message when it is decided. */
  async open(op, description, decided) {
    this.#decided = decided;
    setText(this.#title, text('conflict.title', { description }));
    this.element.showModal();
    this.#title.focus();
    await this.#load(op);
  }

  #closed() {
    this.#conflict = null;
    this.#body.replaceChildren();
    this.#buttons.replaceChildren();
  }

  async #load(op, notice = '') {
    setText(this.#error, notice);
    this.#buttons.replaceChildren();
    this.#body.replaceChildren(h('p', { class: 'hint', role: 'status' }, text('conflict.loading')));
    try {
      const [conflict] = await Promise.all([conflictOf(this.#context.api, op), this.#names.load()]);
      this.element.open && this.#show(conflict);
    } catch (err) {
      this.#body.replaceChildren();
      setText(this.#error, sentence(err.message));
      this.#buttons.replaceChildren(button(text('history.retry'), () => this.#load(op)));
    }
  }

  #show(conflict) {
    this.#conflict = conflict;
    this.#choices = {};
    const [body, buttons] = conflict.kind === 'both' ? this.#bothSides() : this.#deleted();
    this.#body.replaceChildren(...body);
    this.#buttons.replaceChildren(...buttons);
  }

  #bothSides() {
    const { decisions } = this.#conflict;
    if (decisions.length === 0) {
      return [[h('p', {}, text('conflict.same'))], [button(text('conflict.keepTheirs'), () => this.#keepTheirs(), 'primary')]];
    }
    return [
      [h('p', {}, text('conflict.intro')), ...decisions.map((d) => this.#decision(d))],
      [
        button(this.#keepLabel('mine'), () => this.#retry(mineData(this.#conflict))),
        button(this.#keepLabel('theirs'), () => this.#keepTheirs()),
        button(text('conflict.merge'), () => this.#saveMerged(), 'primary'),
      ],
    ];
  }

  #decision({ name, fields, mine, theirs, byMe, choice }) {
    const { base } = this.#conflict;
    const error = h('p', { class: 'error', id: `conflict-${name}-error` });
    const change = this.#conflict.changeOf(fields);
    const side = (which, entry, hint) => h('label', { class: 'side-choice' },
      h('input', { type: 'radio', name: `conflict-${name}`, value: which, checked: choice === which, on: { change: () => this.#chosen(name, which, error) } }),
      h('span', {}, h('b', {}, this.#sideName(which, change)), ' ', fieldValue(name, entry), h('span', { class: 'hint' }, hint)));
    return h('fieldset', { class: 'decision', data: { field: name }, aria: { describedby: error.id } },
      h('legend', {}, fieldName(name)),
      side('mine', mine, byMe ? this.#myHint() : null),
      side('theirs', theirs, this.#theirHint(fields)),
      base && choice === null ? h('p', { class: 'hint' }, textParts('conflict.before', { value: fieldValue(name, base) })) : null,
      error);
  }

  // Of two changes by this person, each side is called by its device.
  #sideName(which, change) {
    const { op } = this.#conflict;
    const own = change && this.#names.side(change);
    const mine = own && this.#names.side({ by: this.#context.session.user, deviceId: op.deviceId });
    return own && own !== mine ? { mine, theirs: own }[which] : text(`conflict.${which}`);
  }

  #keepLabel(which) {
    const side = this.#sideName(which, this.#conflict.change);
    return side === text(`conflict.${which}`) ? text(which === 'mine' ? 'conflict.keepMine' : 'conflict.keepTheirs') : text('conflict.keepSide', { side });
  }

  #chosen(name, which, error) {
    this.#choices[name] = which;
    setText(error, '');
  }

  #myHint() {
    const { op } = this.#conflict;
    const who = this.#names.who({ by: this.#context.session.user, deviceId: op.deviceId });
    return op.timestamp ? [...who, ` · ${moment(op.timestamp)}`] : who;
  }

  #theirHint(fields) {
    const change = this.#conflict.changeOf(fields);
    return change ? [...this.#names.who(change), ` · ${moment(change.at)}`] : null;
  }

  #deleted() {
    const { kind, patch, theirs, change } = this.#conflict;
    const said = kind === 'gone' ? text('conflict.gone') : textParts('conflict.deleted', { who: h('b', {}, this.#names.who(change)), when: moment(change.at) });
    const shown = Object.keys(patch).filter((field) => field !== 'day' && field !== 'deviceId');
    const list = h('dl', { class: 'changes' }, shown.map((field) => h('div', {}, h('dt', {}, fieldName(field)), h('dd', {}, fieldValue(field, { ...theirs, ...patch })))));
    const again = kind === 'deleted' ? button(text('conflict.addAgain'), () => this.#addAgain()) : null;
    return [[h('p', {}, said), list], [again, button(text('conflict.leave'), () => this.#keepTheirs(), 'primary')].filter(Boolean)];
  }

  #saveMerged() {
    const open = undecided(this.#conflict.decisions, this.#choices);
    if (open) {
      const fieldset = this.#body.querySelector(`[data-field="${open.name}"]`);
      setText(fieldset.querySelector('.error'), text('conflict.choose'));
      fieldset.querySelector('input').focus();
      return;
    }
    const data = mergedData(this.#conflict, this.#choices);
    data ? this.#retry(data) : this.#keepTheirs();
  }

  async #retry(data) {
    const { op } = this.#conflict;
    try {
      await this.#context.parked.retry(op, data);
      this.#done('conflict.saved', data);
    } catch (err) {
      err.current ? await this.#load({ ...op, data: { ...op.data, version: op.data?.version } }, text('conflict.again')) : setText(this.#error, sentence(err.message));
    }
  }

  #keepTheirs() {
    return this.#attempt(() => this.#context.parked.discard(this.#conflict.op), 'conflict.left');
  }

  // The new entry is queued first, so that it is not lost if discarding fails.
  #addAgain() {
    const draft = draftAgain(this.#conflict);
    this.#context.queue.create(draft);
    return this.#attempt(() => this.#context.parked.discard(this.#conflict.op), 'conflict.saved', draft);
  }

  async #attempt(work, message, stored) {
    try {
      await work();
      this.#done(message, stored);
    } catch (err) {
      setText(this.#error, sentence(err.message));
    }
  }

  // stored are the fields that were just stored.
  #done(message, stored = {}) {
    const { theirs, patch } = this.#conflict;
    this.element.close();
    this.#decided(text(message, { description: stored.description ?? theirs?.description ?? patch.description ?? text('parked.unnamed') }));
  }
}

function button(label, press, kind = 'plain') {
  return h('button', { type: 'button', class: kind, on: { click: press } }, label);
}
