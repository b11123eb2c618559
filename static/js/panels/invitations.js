import { moment } from '../days.js';
import { arrange, drawer, h, icon, iconButton, setText, soon } from '../dom.js';
import { sentence } from '../format.js';

const offers = { viewer: 'You may look at it', editor: 'You may change it' };

/** The dialog with open invitations, each with buttons to answer, and with blocked people. */
export function mount({ invitations, toast }) {
  const number = h('span', { class: 'count', hidden: true });
  const open = h('button', { type: 'button', hidden: true, on: { click: show } }, icon('people'), h('span', {}, 'Invitations'), number);
  const title = h('h2', { id: 'invitations-title', tabIndex: -1 }, 'Invitations');
  const errorText = h('p', { class: 'error', role: 'alert' });
  const none = h('p', { class: 'hint' }, 'No invitation waits for an answer.');
  const list = h('ul', { class: 'members' });
  const blocked = h('ul', { class: 'members' });
  const blockedPart = h('section', { aria: { label: 'Blocked people' }, hidden: true }, h('h3', {}, 'Blocked people'), blocked);
  const dialog = drawer({ className: 'question', title: 'invitations-title', closed: () => {} },
    h('div', { class: 'sheet' },
      h('header', {}, title, iconButton('close', 'Close', () => dialog.close())),
      errorText, none, list, blockedPart));
  const known = new Map();

  function render() {
    const { waiting, blocked: people, error } = invitations;
    const label = waiting.length > 0 ? `Invitations, ${waiting.length} waiting` : 'Invitations';
    open.hidden = waiting.length === 0 && people.length === 0 && !dialog.open;
    open.setAttribute('aria-label', label);
    number.hidden = waiting.length === 0;
    setText(number, waiting.length > 99 ? '99+' : String(waiting.length));
    setText(errorText, error && dialog.open ? sentence(error.message) : '');
    none.hidden = waiting.length > 0;
    blockedPart.hidden = people.length === 0;
    const items = [...waiting.map((i) => keep(`i ${i.id} ${i.role} ${i.description}`, () => invitationItem(i))),
      ...people.map((p) => keep(`p ${p.id}`, () => personItem(p)))];
    const wanted = new Set(items);
    known.forEach((element, key) => wanted.has(element) || known.delete(key));
    arrange(list, items.slice(0, waiting.length));
    arrange(blocked, items.slice(waiting.length));
  }

  function keep(key, make) {
    known.has(key) || known.set(key, make());
    return known.get(key);
  }

  function invitationItem({ id, from, role, description, createdAt }) {
    const about = `${description} from ${from.name}`;
    const button = (name, press) => h('button', { type: 'button', class: 'link', aria: { label: `${name}: ${about}` }, on: { click: press } }, name);
    return h('li', {},
      h('div', { class: 'what' },
        h('span', { class: 'description' }, description),
        h('span', { class: 'detail' }, `${from.name}, ${from.email} · ${offers[role] ?? role} · ${moment(createdAt)}`)),
      h('div', { class: 'buttons' },
        button('Accept', () => act(() => invitations.accept(id), `${description} is yours too`)),
        button('Decline', () => act(() => invitations.decline(id), 'Declined')),
        h('button', { type: 'button', class: 'link', aria: { label: `Block ${from.name}, ${from.email}` }, on: { click: () => act(() => invitations.block(from.id), `Blocked ${from.name}`) } }, 'Block')));
  }

  function personItem({ id, name }) {
    return h('li', {}, h('div', { class: 'what' }, h('span', { class: 'description' }, name)),
      h('button', { type: 'button', class: 'link', aria: { label: `Unblock ${name}` }, on: { click: () => act(() => invitations.unblock(id), `Unblocked ${name}`) } }, 'Unblock'));
  }

  function show() {
    setText(errorText, '');
    dialog.showModal();
    title.focus();
    invitations.read();
  }

  // The focused button may be removed, so the title takes the focus.
  async function act(work, done) {
    try {
      await work();
      toast.announce(done);
      title.focus();
    } catch (err) {
      setText(errorText, sentence(err.message));
    }
  }

  invitations.addEventListener('change', soon(render));
  invitations.addEventListener('received', ({ invitation }) => {
    toast.showWithLink(`${invitation.from.name} wants to share an entry with you.`, 'Show', show);
  });
  return { menu: open, overlay: dialog };
}
