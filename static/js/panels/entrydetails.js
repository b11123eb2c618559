import { categoryName } from '../categories.js';
import { dayOfRow, inWords } from '../days.js';
import { h, iconButton } from '../dom.js';
import { drawer } from '../drawer.js';
import { text } from '../text.js';
import { amountText } from './expenserow.js';

/** The dialog with everything in an entry that this person may only view. */
export function mount(context) {
  const title = h('h2', { id: 'details-title', tabIndex: -1 });
  const list = h('dl', { class: 'details' });
  const tools = h('div', { class: 'buttons' });
  const element = drawer({ className: 'question', title: 'details-title', closed: () => list.replaceChildren() },
    h('div', { class: 'sheet' }, h('header', {}, title, iconButton('close', text('frame.close'), () => element.close())), list, tools));

  function open(row) {
    title.replaceChildren(h('bdi', {}, row.description));
    list.replaceChildren(...detailsOf(row).flatMap(([name, value]) => [h('dt', {}, text(name)), h('dd', {}, h('bdi', {}, value))]));
    const tool = (key, panel) => h('button', { type: 'button', class: 'plain', on: { click: () => (element.close(), panel.open(row)) } }, text(key));
    tools.replaceChildren(tool('history.show', context.history), tool('entries.peopleshort', context.people));
    element.showModal();
    title.focus();
  }

  context.details = { open };
  return { overlay: element };
}

function detailsOf(row) {
  const { category, merchant, notes, tags = [], sharedBy } = row;
  return [
    ['entries.amount', amountText(row)],
    ['entries.day', inWords(dayOfRow(row), { dateStyle: 'full' })],
    ['entries.category', categoryName(category)],
    ['entries.merchant', merchant],
    ['entries.tags', tags.map((tag) => `#${tag}`).join(' ')],
    ['entries.notes', notes],
    ['entries.owner', sharedBy?.name],
  ].filter(([, value]) => value);
}
