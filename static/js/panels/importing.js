import { h, icon, iconButton, setText } from '../dom.js';
import { FileImport } from '../fileimport.js';
import { sentence } from '../format.js';
import { text } from '../text.js';
import { importMapping } from './importmapping.js';
import { importRows } from './importrows.js';

/** Importing a file: choosing it, its preview, how it is read, the import and its undoing. */
export function mount({ api, live }) {
  const work = new FileImport(api);
  const mapping = importMapping(work);
  const input = h('input', { type: 'file', id: 'import-file', accept: '.csv,.tsv,.txt,.ofx,.qfx,.json,text/csv,application/x-ofx,application/json', on: { change: () => choose(input.files[0]) } });
  const drop = h('div', { class: 'drop', on: { dragover: (event) => event.preventDefault(), drop: dropped } },
    h('label', { for: 'import-file' }, text('importing.file')), input);
  const said = h('p', { class: 'verdict', role: 'status' });
  const error = h('p', { class: 'error', role: 'alert' });
  const bar = h('progress', { aria: { label: text('importing.title') } });
  const rows = h('ul', { class: 'import-rows', aria: { label: text('importing.rows') } });
  const more = h('p', { class: 'hint' }, text('importing.more'));
  const doIt = h('button', { type: 'button', class: 'primary', on: { click: () => work.run() } });
  const undo = h('button', { type: 'button', class: 'plain', on: { click: () => work.undo() } }, text('importing.undo'));
  const another = h('button', { type: 'button', class: 'plain', on: { click: again } }, text('importing.another'));
  const title = h('h2', { id: 'importing-title', tabIndex: -1 }, text('importing.title'));
  const dialog = h('dialog', { class: 'drawer importing', aria: { labelledby: 'importing-title' }, on: { close: closed, mousedown: ({ target }) => target === dialog && dialog.close() } },
    h('div', { class: 'sheet' },
      h('header', {}, title, iconButton('close', text('importing.close'), () => dialog.close())),
      h('p', { class: 'hint' }, text('importing.hint')), drop, error, said, bar, mapping.element,
      h('div', { class: 'buttons' }, undo, another, doIt), rows, more));

  function show() {
    dialog.showModal();
    render();
    title.focus();
  }

  function choose(file) {
    if (file) {
      work.open(file);
    }
  }

  function dropped(event) {
    event.preventDefault();
    choose(event.dataTransfer.files[0]);
  }

  function again() {
    input.value = '';
    work.close();
    input.focus();
  }

  // An import that is under way goes on; its entries come as all others do.
  function closed() {
    if (!dialog.open && work.busy !== 'import') {
      input.value = '';
      work.close();
    }
  }

  function render() {
    const { preview, result, busy } = work;
    drop.hidden = result !== null || busy === 'import';
    setText(error, work.error ? sentence(work.error.message) : '');
    setText(said, saying(work));
    bar.hidden = busy === '' || busy === 'read';
    bar.hidden && bar.removeAttribute('value');
    mapping.element.hidden = true;
    if (preview?.mapping && !result && busy !== 'import') {
      mapping.show();
    }
    const listed = preview !== null && result === null;
    rows.hidden = !listed || preview.rows.length === 0;
    more.hidden = !listed || preview.rows.length === preview.totals.rows;
    doIt.hidden = !listed;
    doIt.disabled = !work.ready;
    setText(doIt, text(preview?.account ? 'importing.export.do' : 'importing.do', { count: work.count }));
    undo.hidden = result?.import?.state !== 'done';
    undo.disabled = busy !== '';
    another.hidden = result === null;
  }

  let shown = null;
  work.addEventListener('change', () => {
    if (shown !== work.preview) {
      shown = work.preview;
      rows.replaceChildren(...(shown ? importRows(work) : []));
    }
    render();
  });
  live.listen('import_progress', ({ rows: done, total: known }) => {
    if (work.busy === 'import' || work.busy === 'undo') {
      const total = known || (work.preview?.totals.read ?? 0); // an export is read as it arrives
      Object.assign(bar, { max: Math.max(total, 1), value: done });
      setText(said, text('importing.running', { done, total }));
    }
  });
  render();
  return { menu: h('button', { type: 'button', on: { click: show } }, icon('add'), h('span', {}, text('importing.menu'))), overlay: dialog };
}

function saying({ preview, result, busy }) {
  if (busy === 'read') {
    return text('importing.reading');
  }
  if (busy === 'undo') {
    return text('importing.undoing');
  }
  if (result) {
    return doneText(result);
  }
  return preview ? foundText(preview) : '';
}

function foundText({ account, totals }) {
  const values = { count: totals.rows, fresh: totals.new, ...totals };
  const found = text(account ? 'importing.export.found' : 'importing.found', values);
  return totals.parked > 0 ? `${found} ${text('importing.wouldPark', { parked: totals.parked })}` : found;
}

function doneText({ account, import: made, totals }) {
  if (made?.state === 'undone') {
    const left = made.changed > 0 && text('importing.undone.changed', { changed: made.changed });
    return [text('importing.undone', { removed: made.removed, kept: made.kept }), left].filter(Boolean).join(' ');
  }
  if (account) {
    return text('importing.export.done', { fresh: totals.new, ...totals });
  }
  return [
    text('importing.done', { count: totals.new }),
    totals.duplicates + totals.refused > 0 && text('importing.leftout', { duplicates: totals.duplicates, refused: totals.refused }),
    totals.parked > 0 && text('importing.parked', { parked: totals.parked }),
  ].filter(Boolean).join(' ');
}
