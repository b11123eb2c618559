import { moment } from '../days.js';
import { arrange, drawer, h, iconButton, setText, soon } from '../dom.js';
import { dismiss } from '../drawer.js';
import { count, sentence } from '../format.js';
import { isTemporary } from '../queue.js';
import { Fields } from './fields.js';

const roles = [['viewer', 'may look'], ['editor', 'may change it']];

/** The dialog of one expense's room: members, who is present, comments. */
export function mount(context) {
  const people = new People(context);
  context.people = people;
  return { overlay: people.element };
}

class People {
  #context;
  #room;
  #row = null;
  #fields = new Fields('share');
  #title = h('h2', { id: 'people-title', tabIndex: -1 });
  #here = h('p', { class: 'hint', role: 'status' });
  #members = h('ul', { class: 'members' });
  #share;
  #leave = h('button', { type: 'button', class: 'plain small', hidden: true, on: { click: () => this.#leaveEntry() } }, 'Leave this entry');
  #comments = h('ol', { class: 'comments', tabIndex: 0, aria: { label: 'Comments' } });
  #typing = h('p', { class: 'hint typing', role: 'status' });
  #errorText = h('p', { class: 'error', role: 'alert' });

  constructor(context) {
    this.#context = context;
    this.#room = context.room;
    this.#share = this.#shareForm();
    this.element = drawer({ className: 'drawer', title: 'people-title', closed: () => this.#closed() },
      h('div', { class: 'sheet' },
        h('header', {}, this.#title, iconButton('close', 'Close', () => dismiss(this.element))),
        this.#here, this.#errorText,
        h('section', { aria: { label: 'Who has it' } }, h('h3', {}, 'Who has it'), this.#members, this.#leave),
        this.#share,
        h('section', { aria: { label: 'What was said' } }, h('h3', {}, 'What was said'), this.#comments, this.#typing, this.#commentForm())));
    this.#room.addEventListener('change', soon(() => this.#row && this.#render()));
    context.expenseList.addEventListener('change', soon(() => this.#row && this.#check()));
  }

  /** Opens with a row that the server has. */
  open(row) {
    if (isTemporary(row.id)) {
      return;
    }
    this.#row = row;
    setText(this.#errorText, '');
    this.#fields.fill({ email: '', role: 'viewer', text: '' });
    this.#room.enter(row.id);
    this.#render();
    this.element.showModal();
    this.#title.focus();
  }

  #closed() {
    this.#row = null;
    this.#room.leave();
  }

  // The dialog closes when the expense is deleted or no longer shared.
  #check() {
    const row = this.#context.expenseList.row(this.#row.id);
    if (row) {
      this.#row = row;
      this.#render();
    } else {
      this.#context.toast.show(`${this.#row.description} is no longer here.`);
      this.element.close();
    }
  }

  #render() {
    const { sharing, error, present, typing, comments } = this.#room;
    const me = this.#context.session.user.id;
    const isOwner = sharing?.owner.id === me;
    setText(this.#title, `People: ${this.#row.description}`);
    setText(this.#here, presentText(present, me));
    this.#share.hidden = !isOwner;
    this.#leave.hidden = !sharing || isOwner;
    if (error) {
      setText(this.#errorText, sentence(error.message));
    }
    arrange(this.#members, sharing ? [
      ...membersOf(sharing, me).map((m) => this.#member(m, isOwner)),
      ...(sharing.invited ?? []).map((i) => this.#invitee(i)),
    ] : []);
    this.#renderComments(comments, me);
    setText(this.#typing, typing.length > 0 ? `${typing.join(', ')} ${typing.length === 1 ? 'is' : 'are'} writing…` : '');
  }

  // The newest comment is scrolled into view.
  #renderComments(comments, me) {
    const known = this.#comments.children.length;
    arrange(this.#comments, comments.map((c) => this.#comment(c, me)));
    this.#comments.hidden = comments.length === 0;
    if (this.#comments.children.length > known) {
      this.#comments.scrollTop = this.#comments.scrollHeight;
    }
  }

  #comment({ id, user, data, at }, me) {
    const known = this.#comments.querySelector(`[data-id="${CSS.escape(id)}"]`);
    return known ?? h('li', { data: { id } },
      h('p', { class: 'hint' }, h('b', {}, user.id === me ? 'You' : user.name), ` · ${moment(at)}`), h('p', { class: 'said' }, data.text));
  }

  #member(member, isOwner) {
    const key = `${member.id} ${member.role} ${isOwner}`;
    const known = this.#members.querySelector(`[data-key="${CSS.escape(key)}"]`);
    return known ?? h('li', { data: { key } },
      h('div', { class: 'what' }, h('span', { class: 'description' }, member.shown), h('span', { class: 'detail' }, [member.email, member.label].filter(Boolean).join(' · '))),
      isOwner && member.role !== 'owner' ? this.#memberTools(member) : null);
  }

  #invitee({ email, role }) {
    const key = `invited ${email} ${role}`;
    const known = this.#members.querySelector(`[data-key="${CSS.escape(key)}"]`);
    return known ?? h('li', { data: { key } },
      h('div', { class: 'what' }, h('span', { class: 'description' }, email), h('span', { class: 'detail' }, `asked, has not accepted · ${labelOf(role)}`)),
      h('div', { class: 'buttons' },
        h('button', { type: 'button', class: 'link', aria: { label: `Take back: ${email}` }, on: { click: () => this.#act(() => this.#room.withdraw(email)) } }, 'Take back')));
  }

  #memberTools(member) {
    const other = member.role === 'viewer' ? 'editor' : 'viewer';
    const change = other === 'editor' ? 'Let change it' : 'Let only look';
    return h('div', { class: 'buttons' },
      h('button', { type: 'button', class: 'link', aria: { label: `${change}: ${member.name}` }, on: { click: () => this.#act(() => this.#room.share(member.email, other)) } }, change),
      h('button', { type: 'button', class: 'link', aria: { label: `Remove: ${member.name}` }, on: { click: () => this.#act(() => this.#room.unshare(member.id)) } }, 'Remove'));
  }

  #shareForm() {
    const submitted = (event) => {
      event.preventDefault();
      const email = this.#fields.text('email');
      if (!this.#fields.refuse(email.includes('@') ? {} : { email: 'Enter an e-mail address.' })) {
        this.#submit('email', () => this.#room.share(email, this.#fields.text('role')));
      }
    };
    return h('form', { class: 'share-form', noValidate: true, hidden: true, on: { submit: submitted } },
      this.#fields.add('email', 'Share with, by e-mail address', h('input', { type: 'email', autocomplete: 'off' })),
      h('div', { class: 'share-row' },
        this.#fields.add('role', 'They', h('select', {}, roles.map(([value, name]) => h('option', { value }, name)))),
        h('button', { type: 'submit', class: 'primary' }, 'Share')));
  }

  #commentForm() {
    const submitted = (event) => {
      event.preventDefault();
      const text = this.#fields.text('text');
      if (text) {
        this.#submit('text', () => this.#room.comment(text));
      }
    };
    const input = h('input', { autocomplete: 'off', maxlength: 1000, on: { input: () => this.#room.notifyTyping() } });
    return h('form', { noValidate: true, on: { submit: submitted } }, this.#fields.add('text', 'Say something', input),
      h('div', { class: 'buttons' }, h('button', { type: 'submit', class: 'plain small' }, 'Send')));
  }

  #leaveEntry() {
    return this.#act(() => this.#room.unshare(this.#context.session.user.id));
  }

  // The field is emptied once the server has accepted it; otherwise its error is shown.
  async #submit(name, work) {
    try {
      await work();
      this.#fields.fill({ [name]: '' });
    } catch (err) {
      this.#fields.mark(name, sentence(err.message));
    }
    this.#fields.get(name).focus();
  }

  // The focused button may be removed, so the title takes the focus.
  async #act(work) {
    setText(this.#errorText, '');
    await work().catch((err) => setText(this.#errorText, sentence(err.message)));
    this.#title.focus();
  }
}

function membersOf({ owner, sharedWith }, me) {
  const shown = ({ id, name }) => (id === me ? `${name} (you)` : name);
  return [
    { ...owner, role: 'owner', shown: shown(owner), label: 'owner' },
    ...sharedWith.map((m) => ({ ...m, shown: shown(m), label: labelOf(m.role) })),
  ];
}

function labelOf(role) {
  return roles.find(([name]) => name === role)?.[1] ?? role;
}

function presentText(present, me) {
  if (present.length === 0) {
    return '';
  }
  const meFirst = [...present].sort((a, b) => Number(b.id === me) - Number(a.id === me));
  const names = meFirst.map(({ id, name, devices }) => (id === me ? 'you' : name) + (devices > 1 ? ` (${count(devices, 'device')})` : ''));
  return `Here now: ${names.join(', ')}`;
}
