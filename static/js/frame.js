import { viewNames } from './address.js';
import { h, icon } from './dom.js';
import { menu } from './menu.js';
import { text } from './text.js';

/** Windows whose header has no room for figures: they stand with the summary. */
const phone = matchMedia('(max-width: 34rem)');

/** Puts the parts of mounted panels in their places. Returns the elements of the page, and stop, which ends following the window's width. */
export function frame(mounted, { session, settings, toast, editor, navigation }) {
  const parts = (place) => mounted.flatMap((panel) => panel[place] ?? []);
  const figures = h('div', { class: 'top-figures' }, parts('figure'));
  const header = h('header', { class: 'top' },
    h('h1', { class: 'brand' }, icon('mark'), h('span', {}, text('frame.title'))), figures, parts('header'), menu(session.user, settings, parts('menu')));
  const side = h('div', { class: 'side' }, parts('aside'));
  return {
    elements: [
      header, ...parts('banner'),
      h('main', { class: 'ledger', id: 'main', tabIndex: -1 }, side,
        h('div', { class: 'middle' }, parts('main'), parts('nav'), viewNames.map((view) => viewOf(view, parts(view), navigation)))),
      ...parts('floating'), ...parts('overlay'), editor.element, toast.element,
    ],
    stop: followWidth(() => (phone.matches ? side.prepend(figures) : header.firstChild.after(figures))),
  };
}

function followWidth(place) {
  place();
  phone.addEventListener('change', place);
  return () => phone.removeEventListener('change', place);
}

function viewOf(view, parts, navigation) {
  const element = h('div', { class: 'view' }, parts);
  const render = () => { element.hidden = navigation.current !== view; };
  navigation.addEventListener('change', render);
  render();
  return element;
}
