import { moment } from '../days.js';
import { arrange, h, icon, iconButton, setText, soon } from '../dom.js';
import { drawer } from '../drawer.js';
import { sentence } from '../format.js';
import { text } from '../text.js';

/** The dialog with open invitations, each with buttons to answer, and with blocked people. */
export function mount(context) {
  const { invitations, toast } = context;
  context.showInvitations = show;
  const number = h('span', { class: 'count', hidden: true });
  const open = h('button', { type: 'button', hidden: true, on: { click: show } }, icon('people'), h('span', {}, text('invitations.title')), number);
  const title = h('h2', { id: 'invitations-title', tabIndex: -1 }, text('invitations.title'));
  const errorText = h('p', { class: 'error', role: 'alert' });
  const none = h('p', { class: 'hint' }, text('invitations.none'));
  const list = h('ul', { class: 'members' });
  const blocked = h('ul', { class: 'members' });
  const blockedPart = h('section', { aria: { label: text('invitations.blocked') }, hidden: true }, h('h3', {}, text('invitations.blocked')), blocked);
  const dialog = drawer({ className: 'question', title: 'invitations-title', closed: () => {} },
    h('div', { class: 'sheet' },
      h('header', {}, title, iconButton('close', text('invitations.close'), () => dialog.close())),
      errorText, none, list, blockedPart));
  const known = new Map();
  const messages = new Map(); // id of an invitation to what hides the message about it

  function render() {
    const { waiting, blocked: people, error } = invitations;
    const label = waiting.length > 0 ? text('invitations.label', { count: waiting.length }) : text('invitations.title');
    open.hidden = waiting.length === 0 && people.length === 0 && !dialog.open;
    open.setAttribute('aria-label', label);
    number.hidden = waiting.length === 0;
    setText(number, waiting.length > 99 ? '99+' : text('frame.number', { count: waiting.length }));
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
    const about = text('invitations.from', { entry: description, name: from.name });
    const button = (answer, press) => h('button', { type: 'button', class: 'link', aria: { label: text('invitations.answer.of', { answer, about }) }, on: { click: press } }, answer);
    return h('li', {},
      h('div', { class: 'what' },
        h('bdi', { class: 'description' }, description),
        h('span', { class: 'detail' }, h('bdi', {}, from.name), ', ', h('bdi', {}, from.email), ` · ${offerOf(role)} · ${moment(createdAt)}`)),
      h('div', { class: 'buttons' },
        button(text('invitations.accept'), () => act(() => invitations.accept(id), text('invitations.accepted', { entry: description }))),
        button(text('invitations.decline'), () => act(() => invitations.decline(id), text('invitations.declined'))),
        h('button', { type: 'button', class: 'link', aria: { label: text('invitations.block.of', from) }, on: { click: () => act(() => invitations.block(from.id), text('invitations.blocked.one', from)) } }, text('invitations.block'))));
  }

  function personItem({ id, name }) {
    return h('li', {}, h('div', { class: 'what' }, h('bdi', { class: 'description' }, name)),
      h('button', { type: 'button', class: 'link', aria: { label: text('invitations.unblock.of', { name }) }, on: { click: () => act(() => invitations.unblock(id), text('invitations.unblocked.one', { name })) } }, text('invitations.unblock')));
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
    messages.set(invitation.id, toast.showWithLink(text('invitations.received', invitation.from), text('invitations.show'), show));
  });
  invitations.addEventListener('closed', ({ id }) => {
    messages.get(id)?.();
    messages.delete(id);
  });
  return { menu: open, overlay: dialog };
}

function offerOf(role) {
  return ['viewer', 'editor'].includes(role) ? text(`invitations.${role}`) : role;
}
