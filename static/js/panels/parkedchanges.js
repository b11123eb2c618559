import { arrange, h, setText, soon } from '../dom.js';
import { sentence } from '../format.js';
import { pageSize } from '../parked.js';
import { ask } from '../question.js';
import { text } from '../text.js';
import { ConflictDialog } from './conflict.js';
import { parkedEntry, parkedItem } from './parkeditem.js';

/** How many changes are shown before more are asked for: the entries below stay near. */
const firstShown = 5;

/** Milliseconds after which work on all changes shows how far it is. */
const progressAfter = 2_000;

/**
 * Changes that the server did not accept, oldest first and in pages. Each can be
 * corrected, compared with what is stored, tried again as it is, or discarded; all
 * of them can be tried again or discarded at once.
 */
export function mount(context) {
  const panel = new ParkedChanges(context);
  return { main: panel.element, overlay: panel.conflict.element, render: () => panel.render() };
}

class ParkedChanges {
  #context;
  #shown = firstShown;
  #items = new Map(); // key to element
  #busySince = 0;
  #title = h('h2', { id: 'parked-title', tabIndex: -1 });
  #list = h('ul', {});
  #more = h('button', { type: 'button', class: 'plain small', hidden: true, on: { click: () => this.#showMore() } });
  #meter = h('progress', { max: 1, aria: { labelledby: 'parked-progress' } });
  #meterText = h('span', { id: 'parked-progress', role: 'status' });
  #progress = h('p', { class: 'hint progress', hidden: true }, this.#meter, this.#meterText);
  #all;

  constructor(context) {
    this.#context = context;
    this.conflict = new ConflictDialog(context);
    this.#all = h('div', { class: 'buttons' },
      h('button', { type: 'button', class: 'plain small', on: { click: () => this.#retryAll() } }, text('parked.retryAll')),
      h('button', { type: 'button', class: 'plain small', on: { click: () => this.#discardAll() } }, text('parked.discardAll')));
    this.element = h('section', { class: 'card parked', hidden: true, aria: { labelledby: 'parked-title' } },
      h('div', { class: 'heading' }, this.#title, this.#all), h('p', { class: 'hint' }, text('parked.hint')), this.#progress, this.#list, this.#more);
    const render = soon(() => this.render());
    [context.queue, context.parked].forEach((part) => part.addEventListener('change', render));
  }

  render() {
    const { queue, parked } = this.#context;
    const refused = queue.refused();
    const total = refused.length + parked.total;
    this.element.hidden = total === 0;
    setText(this.#title, text('parked.title', { count: total }));
    const entries = [...refused.map((op) => parkedEntry(op, true)), ...parked.operations.map((op) => parkedEntry(op, false))].slice(0, this.#shown);
    const keys = new Set(entries.map(({ key }) => key));
    this.#items.forEach((_, key) => keys.has(key) || this.#items.delete(key));
    arrange(this.#list, entries.map((entry) => this.#item(entry)));
    this.#more.hidden = total <= entries.length;
    setText(this.#more, text('parked.more', { count: Math.min(pageSize, total - entries.length) }));
    this.#all.hidden = total < 2;
    this.#renderProgress();
  }

  #item(entry) {
    if (!this.#items.has(entry.key)) {
      const act = { retry: (e) => this.#retry(e), correct: (e) => this.#correct(e), compare: (e) => this.#compare(e), discard: (e) => this.#discard(e) };
      this.#items.set(entry.key, parkedItem(entry, act));
    }
    return this.#items.get(entry.key);
  }

  #renderProgress() {
    const { progress } = this.#context.parked;
    this.#progress.hidden = !progress || Date.now() - this.#busySince < progressAfter;
    [...this.#all.children].forEach((button) => { button.disabled = progress !== null; });
    if (progress) {
      this.#meter.value = progress.done / progress.of;
      setText(this.#meterText, text('parked.progress', progress));
    }
  }

  async #showMore() {
    const { queue, parked } = this.#context;
    const before = this.#list.children.length;
    this.#shown += pageSize;
    if (parked.more && queue.refused().length + parked.operations.length < this.#shown) {
      await parked.loadMore().catch((err) => this.#context.toast.showFailure(sentence(err.message)));
    }
    this.render();
    (this.#list.children[before] ?? this.element).querySelector('button')?.focus();
  }

  #retry(entry, data) {
    const { queue, parked } = this.#context;
    return this.#decide(() => (entry.here ? queue.retry(entry.op, data) : parked.retry(entry.op, data)), text('parked.retried', entry));
  }

  #correct(entry) {
    this.#context.editor.open({
      title: text('parked.correctTitle'), label: text('parked.retry'), row: entry.op.data,
      save: (fields) => this.#retry(entry, { ...entry.op.data, ...fields, version: undefined }),
    });
  }

  #compare({ op }) {
    const { description } = { ...op.data, ...op.current };
    return this.conflict.open(op, description ?? text('parked.unnamed'), (message) => this.#decide(() => {}, message));
  }

  #discard(entry) {
    const { queue, parked } = this.#context;
    return this.#decide(() => (entry.here ? queue.discard(entry.op) : parked.discard(entry.op)), text('parked.discarded', entry));
  }

  #retryAll() {
    const { queue, parked } = this.#context;
    return this.#decideAll(async () => {
      queue.retryAll();
      const { applied, failed } = await parked.retryAll();
      return failed > 0 ? text('parked.someFailed', { applied, count: failed }) : text('parked.allRetried', { count: applied });
    });
  }

  async #discardAll() {
    const { queue, parked } = this.#context;
    const count = queue.refused().length + parked.total;
    if (await ask({ title: text('parked.ask', { count }), explanation: text('parked.askMore'), yes: text('parked.discardAll'), no: text('parked.keep') })) {
      await this.#decideAll(async () => {
        queue.discardAll();
        await parked.discardAll();
        return text('parked.allDiscarded', { count });
      });
    }
  }

  async #decideAll(work) {
    this.#busySince = Date.now();
    const timer = setTimeout(() => this.#renderProgress(), progressAfter);
    this.#shown = firstShown;
    this.#context.parked.operations = this.#context.parked.operations.slice(0, pageSize);
    await this.#decide(work, null);
    clearTimeout(timer);
  }

  // message is what work returns if it is null. The list is read again in any case.
  async #decide(work, message) {
    const { toast, sync } = this.#context;
    try {
      const said = await work();
      toast.show(message ?? said);
    } catch (err) {
      toast.showFailure(sentence(err.message));
    }
    await sync.refresh();
    this.render();
    (this.element.hidden ? document.querySelector('#list-title') : this.#list.querySelector('button') ?? this.#title)?.focus();
  }
}
