import { h, icon, iconButton } from '../dom.js';
import { drawer } from '../drawer.js';
import { shortcutTexts } from '../shortcuts.js';
import { text } from '../text.js';

/** The dialog that lists the keyboard shortcuts, and its button in the menu. It puts `showShortcuts` into the context. */
export function mount(context) {
  const title = h('h2', { id: 'shortcuts-title', tabIndex: -1 }, text('shortcuts.title'));
  const dialog = drawer({ className: 'question shortcuts', title: 'shortcuts-title', closed: () => {} },
    h('div', { class: 'sheet' },
      h('header', {}, title, iconButton('close', text('frame.close'), () => dialog.close())),
      h('dl', { class: 'keys' }, shortcutTexts().map(({ keys, what }) => h('div', {}, h('dt', {}, what), h('dd', {}, keys.map((key) => h('kbd', {}, key))))))));
  const show = () => {
    dialog.showModal();
    title.focus();
  };
  context.showShortcuts = show;
  return {
    menu: h('button', { type: 'button', class: 'shortcuts-button', on: { click: show } }, icon('keyboard'), h('span', {}, text('shortcuts.title'))),
    overlay: dialog,
  };
}
