import { h, icon, iconButton, soon } from '../dom.js';
import { dismiss, drawer } from '../drawer.js';
import { text } from '../text.js';
import { accountEnd } from './accountend.js';
import { accountForms } from './accountforms.js';
import { DevicesSection } from './devices.js';

/** The account dialog: devices, one form for each setting, and the ways to leave. */
export function mount(context) {
  const { session, devices } = context;
  context.chooseCurrency = () => (show(), dialog.querySelector('[name="currency"]').focus());
  const title = h('h2', { id: 'account-title', tabIndex: -1 }, text('account.title'));
  const open = h('button', { type: 'button', on: { click: show } }, icon('device'), h('span', {}, text('account.title')));
  const list = new DevicesSection(devices);
  const forms = accountForms(context);
  const end = accountEnd(context);
  const dialog = drawer({ className: 'drawer account', title: 'account-title', closed: () => devices.setOpen(false) },
    h('div', { class: 'sheet' },
      h('header', {}, title, iconButton('close', text('account.close'), () => dismiss(dialog))),
      h('p', { class: 'hint' }, h('bdi', {}, session.user.email)),
      list.element, forms.map((form) => form.element), end.element));

  function show() {
    list.clear();
    forms.forEach((form) => form.fill());
    end.clear();
    dialog.showModal();
    title.focus();
    devices.setOpen(true);
  }

  devices.addEventListener('change', soon(() => list.render()));
  return { menu: open, overlay: dialog };
}
