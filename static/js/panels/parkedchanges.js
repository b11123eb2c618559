import { arrange, h, setText } from '../dom.js';
import { count, sentence } from '../format.js';
import { micros, money } from '../numbers.js';

const verbs = { CREATE: 'Add', UPDATE: 'Change', DELETE: 'Delete' };

/**
 * Changes that the server did not accept. Each can be corrected, tried again as it
 * is, or discarded. Most are parked by the server; those whose request it refused
 * are in the queue (Queue.refuse).
 */
export function mount(context) {
  const { queue, sync, toast, editor } = context;
  const title = h('h2', { id: 'parked-title', tabIndex: -1 });
  const list = h('ul', {});
  const section = h('section', { class: 'card parked', hidden: true, aria: { labelledby: 'parked-title' } },
    title,
    h('p', { class: 'hint' }, 'The server did not accept these changes. They are kept until you decide.'),
    list);
  const items = new Map();

  function render() {
    const entries = [...queue.refused().map(fromQueue), ...sync.parked.map(fromServer)];
    section.hidden = entries.length === 0;
    setText(title, `${count(entries.length, 'change needs', 'changes need')} your decision`);
    for (const key of [...items.keys()].filter((k) => !entries.some((e) => e.key === k))) {
      items.delete(key);
    }
    arrange(list, entries.map(item));
  }

  function item(entry) {
    if (!items.has(entry.key)) {
      items.set(entry.key, parkedItem(entry, { retry, correct, discard }));
    }
    return items.get(entry.key);
  }

  async function retry(entry, data = entry.retryData) {
    await decide(entry, () => entry.source.retry(context, entry, data), `Trying again: ${entry.title}`);
  }

  function correct(entry) {
    editor.open({
      title: 'Correct and try again', label: 'Try again', row: entry.data,
      save: (fields) => retry(entry, { ...entry.data, ...fields, version: undefined }),
    });
  }

  async function discard(entry) {
    await decide(entry, () => entry.source.discard(context, entry), `Discarded: ${entry.title}`);
  }

  async function decide(entry, act, message) {
    try {
      await act();
      toast.show(message);
    } catch (err) {
      toast.show(sentence(err.message));
    }
    await sync.refresh();
    (list.querySelector('button') ?? document.querySelector('#list-title')).focus();
  }

  queue.addEventListener('change', render);
  sync.addEventListener('change', render);
  return { main: section, render };
}

const here = {
  retry: ({ queue }, { op }, data) => queue.retry(op, data),
  discard: ({ queue }, { op }) => queue.discard(op),
};

const server = {
  retry: ({ api }, { op }, data) => api.retryParked(op._id, data).then(failIfRefused),
  discard: ({ api }, { op }) => api.discardParked(op._id),
};

function failIfRefused(result) {
  if (result?.success === false) {
    throw new Error(result.error);
  }
}

function fromQueue(op) {
  return { ...common(op), key: `here-${op.timestamp}`, source: here, reason: op.refused, retryData: op.data };
}

// A change that conflicted with a newer version is retried without its version: the
// user has decided to overwrite.
function fromServer(op) {
  const { version, ...bare } = op.data ?? {};
  return { ...common(op), key: op._id, source: server, reason: op.error, retryData: version === undefined ? undefined : bare };
}

function common(op) {
  return { op, data: op.data, correctable: op.action === 'CREATE' && op.data !== null, title: titleOf(op) };
}

function titleOf({ action, data, current, resourceId }) {
  const { description, amount, currency } = { ...current, ...data };
  const what = [description, Number.isFinite(amount) && money(micros(amount), currency)].filter(Boolean).join(', ');
  return `${verbs[action] ?? action} ${what || `entry ${resourceId}`}`;
}

function parkedItem(entry, { retry, correct, discard }) {
  const button = (label, press) => h('button', {
    type: 'button', class: 'plain small',
    aria: { label: `${label}: ${entry.title}` }, on: { click: () => press(entry) },
  }, label);
  return h('li', {},
    h('div', {}, h('p', { class: 'what' }, entry.title), h('p', { class: 'reason' }, sentence(entry.reason ?? 'Not accepted'))),
    h('div', { class: 'buttons' },
      entry.correctable ? button('Correct', correct) : null,
      button('Try again', retry),
      button('Discard', discard)));
}
