import { base } from '../base.js';
import { Comparison } from '../comparison.js';
import { moment } from '../days.js';
import { h, icon, iconButton, setText, soon } from '../dom.js';
import { drawer } from '../drawer.js';
import { EventLog } from '../eventlog.js';
import { sentence } from '../format.js';
import { text } from '../text.js';

/**
 * Whether this device has what the server has: its position in the log, the connection, the
 * newest events, what waits, and a comparison with the server. Nothing in it is private, so
 * that it can be shown to whoever helps.
 */
export function mount(context) {
  const { live, queue, parked, sync, expenseList } = context;
  const log = new EventLog(live);
  const facts = h('dl', { class: 'facts' });
  const events = h('ol', { class: 'events' });
  const verdict = h('p', { class: 'verdict', role: 'status' });
  const title = h('h2', { id: 'diagnostics-title', tabIndex: -1 }, text('diagnostics.title'));
  const compareButton = h('button', { type: 'button', class: 'plain small', on: { click: compare } }, text('diagnostics.compare'));
  const copyButton = h('button', { type: 'button', class: 'plain small', on: { click: copy } }, text('diagnostics.copy'));
  const dialog = drawer({ className: 'drawer diagnostics', title: 'diagnostics-title', closed: () => {} },
    h('div', { class: 'sheet' },
      h('header', {}, title, iconButton('close', text('diagnostics.close'), () => dialog.close())),
      h('p', { class: 'hint' }, text('diagnostics.hint')),
      facts, h('div', { class: 'buttons' }, compareButton, copyButton), verdict,
      h('section', {}, h('h3', {}, text('diagnostics.events')), events)));
  const comparison = new Comparison(context);

  function show() {
    setText(verdict, '');
    dialog.showModal();
    render();
    title.focus();
  }

  function render() {
    if (!dialog.open) {
      return;
    }
    facts.replaceChildren(...factsOf(context, log).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, h('bdi', {}, value)))));
    events.replaceChildren(...(log.events.length > 0 ? log.events.map(eventItem) : [h('li', {}, text('diagnostics.noevents'))]));
  }

  async function compare() {
    compareButton.disabled = true;
    setText(verdict, text('diagnostics.comparing'));
    setText(verdict, await comparison.run().then((found) => result(found, comparison.total), (err) => sentence(err.message)));
    compareButton.disabled = false;
    render();
  }

  async function copy() {
    const copied = [...factsOf(context, log).map((fact) => fact.join(': ')), verdict.textContent, ...log.events.map(eventText)].filter(Boolean).join('\n');
    const write = async () => navigator.clipboard.writeText(copied); // there is none on pages of plain HTTP
    setText(verdict, await write().then(() => text('diagnostics.copied'), () => text('diagnostics.notcopied')));
  }

  const renderSoon = soon(render, 250);
  [log, queue, parked, sync, expenseList].forEach((part) => part.addEventListener('change', renderSoon));
  live.addEventListener('state', renderSoon);
  const open = h('button', { type: 'button', on: { click: show } }, icon('overview'), h('span', {}, text('diagnostics.title')));
  return { menu: open, overlay: dialog };
}

/** What is known of this device: [name, value]. */
function factsOf({ live, queue, parked, sync, book, deviceId }, log) {
  const fact = (name, value) => [text(`diagnostics.${name}`), value];
  return [
    fact('connection', connection(live)),
    fact('server', base.replace(/\/$/, '')),
    fact('device', deviceId),
    fact('position', position(book.position)),
    fact('heard', book.at ? moment(book.at) : text('diagnostics.never')),
    fact('entries', text(book.complete ? 'diagnostics.all' : 'diagnostics.some', { count: book.ids().length })),
    fact('queue', text('diagnostics.queued', { waiting: queue.pending().length, parked: parked.total + queue.refused().length })),
    fact('received', text('diagnostics.eventcount', { count: log.count })),
  ];
}

function connection({ connected, transport, since }) {
  const values = { transport: text(`diagnostics.${transport || 'none'}`), since: since ? clock(since) : '' };
  return text(connected ? 'diagnostics.connected' : since ? 'diagnostics.lost' : 'diagnostics.notconnected', values);
}

// A place in the server's log is its epoch, the user and the number of the change, in base 36.
function position(offset) {
  const [epoch, , number = ''] = (offset ?? '').split('.');
  return number ? text('diagnostics.change', { number: String(parseInt(number, 36)), epoch }) : text('diagnostics.never');
}

function result({ missing, extra, different }, total) {
  const ids = [...missing, ...extra, ...different];
  return ids.length === 0 ? text('diagnostics.equal', { count: total }) : text('diagnostics.mended', { count: ids.length, ids: ids.slice(0, 20).join(', ') });
}

function eventItem({ at, name, id }) {
  return h('li', {}, h('time', {}, clock(at)), ' ', h('b', {}, name), ' ', h('code', {}, id));
}

function eventText({ at, name, id }) {
  return `${clock(at)} ${name} ${id}`.trimEnd();
}

function clock(at) {
  return new Date(at).toTimeString().slice(0, 8);
}
