import { h, icon, iconButton, setAttribute, setText } from '../dom.js';
import { sentence } from '../format.js';
import { text } from '../text.js';

/** Milliseconds that a browser may take to begin saving a file. */
const saveTime = 60_000;

/** Exporting the account: a file with everything, or a table of the entries. */
export function mount({ api }) {
  const said = h('p', { class: 'verdict', role: 'status' });
  const error = h('p', { class: 'error', role: 'alert' });
  const bar = h('progress', { hidden: true, aria: { label: text('exporting.running') } });
  const buttons = ['json', 'csv'].map((format) => h('button', { type: 'button', class: 'plain', on: { click: () => run(format) } }, text(`exporting.${format}`)));
  const title = h('h2', { id: 'exporting-title', tabIndex: -1 }, text('exporting.title'));
  const dialog = h('dialog', { class: 'drawer importing', aria: { labelledby: 'exporting-title' }, on: { mousedown: ({ target }) => target === dialog && dialog.close() } },
    h('div', { class: 'sheet' },
      h('header', {}, title, iconButton('close', text('exporting.close'), () => dialog.close())),
      h('p', { class: 'hint' }, text('exporting.hint')), h('div', { class: 'buttons' }, buttons), error, said, bar));
  let busy = false;

  function show() {
    busy || tell('', '');
    dialog.showModal();
    title.focus();
  }

  // An export goes on when the dialog is closed.
  async function run(format) {
    if (busy) {
      return;
    }
    working(true);
    tell(text('exporting.running'), '');
    try {
      const { file, name } = await api.exportAs(format);
      save(file, name);
      tell(text('exporting.done', { name }), '');
    } catch (err) {
      tell('', sentence(err.message));
    }
    working(false);
  }

  // The buttons are not disabled by the browser, which would take the focus from them.
  function working(on) {
    busy = on;
    bar.hidden = !on;
    buttons.forEach((button) => setAttribute(button, 'aria-disabled', on && 'true'));
  }

  function tell(done, failed) {
    setText(said, done);
    setText(error, failed);
  }
  return { menu: h('button', { type: 'button', on: { click: show } }, icon('save'), h('span', {}, text('exporting.title'))), overlay: dialog };
}

/** Has the browser save a file. */
function save(file, name) {
  const href = URL.createObjectURL(file);
  h('a', { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), saveTime);
}
