import { h } from '../dom.js';
import { sentence } from '../format.js';
import { micros, money } from '../numbers.js';
import { isTemporary } from '../queue.js';
import { text } from '../text.js';

/**
 * A change that was not accepted, as it is shown: `here` is an operation whose request
 * was refused and that is still in the queue of this device, any other is the server's.
 */
export function parkedEntry(op, here) {
  const title = titleOf(op);
  const reason = here ? op.refused : op.error;
  return {
    op, here, title, reason: op.current ? text('parked.conflict') : plainReason(reason),
    key: here ? `here-${op.timestamp}` : op._id,
    comparable: !here && op.action === 'UPDATE' && !isTemporary(op.resourceId),
    correctable: op.action === 'CREATE' && op.data !== null,
  };
}

// The server writes "Expense validation failed: amount: Path `amount` is required."
function plainReason(reason) {
  const [, field, said] = /^Expense validation failed: .*?Path `(\w+)` (.*)$/.exec(reason ?? '') ?? [];
  return sentence(field && text(`field.${field}`) ? `${text(`field.${field}`)} ${said}` : reason ?? text('parked.notAccepted'));
}

function titleOf({ action, data, current }) {
  const { description, amount, currency } = { ...current, ...data };
  const what = [description, Number.isFinite(amount) && money(micros(amount), currency)].filter(Boolean).join(', ');
  return text(`parked.${action}`, { what: what || text('parked.unnamed') });
}

/** The element of an entry, with a button for each thing that can be done with it. */
export function parkedItem(entry, { retry, correct, compare, discard }) {
  const button = (key, press) => h('button', {
    type: 'button', class: 'plain small',
    aria: { label: text('parked.button', { label: text(key), title: entry.title }) }, on: { click: () => press(entry) },
  }, text(key));
  return h('li', {},
    h('div', {}, h('p', { class: 'what' }, h('bdi', {}, entry.title)), h('p', { class: 'reason' }, entry.reason)),
    h('div', { class: 'buttons' },
      entry.correctable ? button('parked.correct', correct) : null,
      entry.comparable ? button('parked.compare', compare) : button('parked.retry', retry),
      button('parked.discard', discard)));
}
