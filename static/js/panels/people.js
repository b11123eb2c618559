import { moment } from '../days.js';
import { arrange, h, iconButton, setText, soon } from '../dom.js';
import { dismiss, drawer } from '../drawer.js';
import { sentence } from '../format.js';
import { isForeign } from '../permissions.js';
import { ask } from '../question.js';
import { isTemporary } from '../queue.js';
import { addressFault, isListed, membersOf, presentText, refusalText, roleLabel, roles } from '../sharing.js';
import { text, textParts } from '../text.js';
import { Fields } from './fields.js';

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
  #leave = h('button', { type: 'button', class: 'plain small', hidden: true, on: { click: () => this.#leaveEntry() } }, text('people.leave'));
  #comments = h('ol', { class: 'comments', tabIndex: 0, aria: { label: text('people.comments') } });
  #none = h('p', { class: 'hint' }, text('people.comments.none'));
  #typing = h('p', { class: 'hint typing', role: 'status' });
  #errorText = h('p', { class: 'error', role: 'alert' });
  #said = h('p', { class: 'saved', role: 'status' });
  #hasLeft = false;
  #invited = ''; // the address that #said calls invited

  constructor(context) {
    this.#context = context;
    this.#room = context.room;
    this.#share = this.#shareForm();
    this.element = drawer({ className: 'drawer', title: 'people-title', closed: () => this.#closed() },
      h('div', { class: 'sheet' },
        h('header', {}, this.#title, h('div', { class: 'buttons' },
          iconButton('clock', text('history.show'), () => context.history.open(this.#row)), iconButton('close', text('people.close'), () => dismiss(this.element)))),
        this.#here, this.#errorText,
        section('people.shared', this.#members, this.#leave, this.#share),
        section('people.comments', this.#none, this.#comments, this.#typing, this.#commentForm())));
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
    setText(this.#said, '');
    this.#invited = '';
    this.#hasLeft = false;
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
      const why = this.#hasLeft ? 'people.left' : isForeign(this.#row) ? 'people.gone.shared' : 'people.gone';
      this.#context.toast.show(text(why, { entry: this.#row.description }));
      this.element.close();
    }
  }

  #render() {
    const { sharing, error, present, typing, comments } = this.#room;
    const me = this.#context.session.user.id;
    const isOwner = sharing?.owner.id === me;
    this.#title.replaceChildren(...textParts('people.title', { entry: h('bdi', {}, this.#row.description) }));
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
    this.#sayJoined();
    this.#renderComments(comments, me);
    setText(this.#typing, typing.length > 0 ? text('people.typing', { names: typing.join(', '), count: typing.length }) : '');
  }

  // The newest comment is scrolled into view.
  #renderComments(comments, me) {
    const known = this.#comments.children.length;
    arrange(this.#comments, comments.map((c) => this.#comment(c, me)));
    this.#comments.hidden = comments.length === 0;
    this.#none.hidden = comments.length > 0;
    if (this.#comments.children.length > known) {
      this.#comments.scrollTop = this.#comments.scrollHeight;
    }
  }

  #comment({ id, user, data, at }, me) {
    const known = this.#comments.querySelector(`[data-id="${CSS.escape(id)}"]`);
    return known ?? h('li', { data: { id } },
      h('p', { class: 'hint' }, h('b', {}, user.id === me ? text('people.author.self') : h('bdi', {}, user.name)), ` · ${moment(at)}`),
      h('p', { class: 'said', dir: 'auto' }, data.text));
  }

  #member(member, isOwner) {
    const key = `${member.id} ${member.role} ${isOwner}`;
    const known = this.#members.querySelector(`[data-key="${CSS.escape(key)}"]`);
    return known ?? h('li', { data: { key } },
      h('div', { class: 'what' }, h('bdi', { class: 'description' }, member.shown), h('span', { class: 'detail' }, [member.email, roleLabel(member.role)].filter(Boolean).join(' · '))),
      isOwner && member.role !== 'owner' ? this.#memberTools(member) : null);
  }

  #invitee({ email, role }) {
    const key = `invited ${email} ${role}`;
    const known = this.#members.querySelector(`[data-key="${CSS.escape(key)}"]`);
    return known ?? h('li', { data: { key } },
      h('div', { class: 'what' }, h('bdi', { class: 'description' }, email), h('span', { class: 'detail' }, `${text('people.invited')} · ${roleLabel(role)}`)),
      h('div', { class: 'buttons' }, this.#button('people.withdraw', { email }, () => this.#room.withdraw(email))));
  }

  #memberTools(member) {
    const other = member.role === 'viewer' ? 'editor' : 'viewer';
    return h('div', { class: 'buttons' },
      this.#button(`people.let.${other}`, member, () => this.#room.share(member.email, other)),
      this.#button('people.remove', member, () => this.#remove(member)));
  }

  // The text under `${key}.of` says to screen readers whom the button is about.
  #button(key, whom, work) {
    return h('button', { type: 'button', class: 'link', aria: { label: text(`${key}.of`, whom) }, on: { click: () => this.#act(work) } }, text(key));
  }

  #shareForm() {
    const submitted = (event) => {
      event.preventDefault();
      const [email, role] = [this.#fields.get('email').value.trim(), this.#fields.get('role').value];
      const fault = addressFault(email, role, this.#room.sharing, this.#context.session.user.email);
      if (!this.#fields.refuse(fault ? { email: fault } : {})) {
        this.#submit('email', () => this.#invite(email, role));
      }
    };
    return h('form', { class: 'share-form', noValidate: true, hidden: true, on: { submit: submitted } },
      this.#fields.add('email', text('people.email'), h('input', { type: 'email', autocomplete: 'off', on: { input: () => setText(this.#said, '') } })),
      h('div', { class: 'share-row' },
        this.#fields.add('role', text('people.role'), h('select', {}, roles.map((value) => h('option', { value }, roleLabel(value))))),
        h('button', { type: 'submit', class: 'primary' }, text('people.share'))),
      this.#said);
  }

  // Who has the entry, or is invited to it, gets the other role instead.
  async #invite(email, role) {
    const changes = isListed(this.#room.sharing, email);
    await this.#room.share(email, role);
    setText(this.#said, changes ? text('people.share.changed', { email, role: roleLabel(role) }) : text('people.share.done', { email }));
    this.#invited = changes ? '' : email.toLowerCase();
    this.#sayJoined();
  }

  // Who has accepted before, from the same person, has the next entry without being asked.
  #sayJoined() {
    const joined = this.#room.sharing?.sharedWith.find((m) => m.email?.toLowerCase() === this.#invited);
    if (joined) {
      setText(this.#said, text('people.share.joined', joined));
      this.#invited = '';
    }
  }

  #commentForm() {
    const submitted = (event) => {
      event.preventDefault();
      const comment = this.#fields.get('text').value.trim();
      if (comment) {
        this.#submit('text', () => this.#room.comment(comment));
      }
    };
    const input = h('input', { autocomplete: 'off', maxlength: 1000, dir: 'auto', on: { input: () => this.#room.notifyTyping() } });
    return h('form', { noValidate: true, on: { submit: submitted } }, this.#fields.add('text', text('people.comment'), input),
      h('div', { class: 'buttons' }, h('button', { type: 'submit', class: 'plain small' }, text('people.comment.send'))));
  }

  async #remove(member) {
    if (await ask({ title: text('people.remove.ask', member), explanation: text('people.remove.more'), yes: text('people.remove'), no: text('frame.cancel') })) {
      await this.#room.unshare(member.id);
    }
  }

  #leaveEntry() {
    return this.#act(async () => {
      this.#hasLeft = await ask({ title: text('people.leave.ask'), explanation: text('people.leave.more'), yes: text('people.leave.yes'), no: text('people.stay') });
      this.#hasLeft && await this.#room.unshare(this.#context.session.user.id);
    });
  }

  // The field is emptied once the server has accepted it; otherwise its error is shown.
  async #submit(name, work) {
    try {
      await work();
      this.#fields.fill({ [name]: '' });
    } catch (err) {
      this.#fields.mark(name, refusalText(err));
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

function section(title, ...children) {
  return h('section', { aria: { label: text(title) } }, h('h3', {}, text(title)), ...children);
}
