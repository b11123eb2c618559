import { h, icon, setText } from './dom.js';
import { text } from './text.js';

/**
 * The menu of the header: a button, and the buttons of the panels behind it. The
 * browser closes it on Escape and on a click elsewhere; it closes before a button
 * acts, so that a dialog opened from it gives the focus back to the menu's button.
 */
export function menu(user, settings, items) {
  const name = h('bdi', {}, settings.name);
  settings.addEventListener('change', () => setText(name, settings.name));
  const list = h('div', { class: 'menu', id: 'menu', popover: 'auto', role: 'group', aria: { label: text('frame.menu') } },
    h('p', { class: 'menu-who' }, name, h('bdi', { class: 'hint' }, user.email)), items);
  list.addEventListener('click', (event) => event.target.closest('button') && list.hidePopover(), true);
  const button = h('button', { type: 'button', class: 'icon-button menu-button', title: text('frame.menu'), popovertarget: 'menu', aria: { label: text('frame.menu') } },
    icon('menu'));
  return [button, list];
}
