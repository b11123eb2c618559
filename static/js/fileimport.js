import { asImport, isExport } from './accountimport.js';

/** How a file is read, by the names of the server's parameters, and what of it is imported. */
const choices = ['dates', 'decimal', 'delimiter', 'sign', 'currency', 'encoding', 'header'];

/**
 * One file on its way in: its preview, what was chosen about it, and its import. It is
 * of a bank or another program, or an export of this one (accountimport.js).
 *
 * `change` is sent when any of that is another. A preview that is overtaken by a later one
 * counts for nothing.
 */
export class FileImport extends EventTarget {
  #api;
  #file = null;
  #chosen = {};
  #asked = 0;

  /** How the server reads the file; null before it has answered. */
  preview = null;
  /** The import, with what became of the rows; null before. */
  result = null;
  /** An error whose message is for people, or null. */
  error = null;
  /** What is under way: `read`, `import`, `undo`, or ''. */
  busy = '';
  /** Lines of rows that are imported although they seem to be here. */
  included = new Set();

  constructor(api) {
    super();
    this.#api = api;
  }

  /** Begins with a file. */
  open(file) {
    Object.assign(this, { preview: null, result: null, included: new Set() });
    this.#file = file;
    this.#chosen = {};
    return this.#read();
  }

  close() {
    this.#file = null;
    this.#asked += 1;
    Object.assign(this, { preview: null, result: null, error: null, busy: '' });
    this.#changed();
  }

  /** Decides how the file is read: one of the server's parameters. */
  choose(name, value) {
    this.#chosen[name] = value;
    this.included.clear();
    return this.#read();
  }

  /** Says which column has a field; 0 for none. */
  chooseColumn(field, number) {
    const columns = { ...this.preview.mapping.columns, [field]: number };
    return this.choose('columns', Object.entries(columns).filter(([, n]) => n > 0).map((pair) => pair.join(':')).join(','));
  }

  include(line, wanted) {
    this.included[wanted ? 'add' : 'delete'](line);
    this.#changed();
  }

  /** How many entries an import would make. */
  get count() {
    const { new: fresh = 0, changed = 0 } = this.preview?.totals ?? {};
    return fresh + changed + this.included.size;
  }

  /** Whether everything is decided. */
  get ready() {
    return this.preview !== null && this.preview.questions.length === 0 && this.count > 0 && this.busy === '';
  }

  run() {
    const query = { ...this.#chosen, ...(this.included.size > 0 && { include: [...this.included].join(',') }) };
    return this.#work('import', async () => { this.result = await this.#send(query); });
  }

  undo() {
    return this.#work('undo', async () => {
      this.result = { ...this.result, import: await this.#api.undoImport(this.result.import.id) };
    });
  }

  async #read() {
    const asked = ++this.#asked;
    await this.#work('read', async () => {
      const preview = await this.#send({ ...this.#chosen, dryRun: 1 });
      if (asked === this.#asked) {
        this.preview = preview;
      }
    }, () => asked === this.#asked);
  }

  async #send(query) {
    const file = this.#file;
    return (await isExport(file)) ? asImport(await this.#api.importAccount(file, query)) : this.#api.importFile(file, query);
  }

  async #work(what, work, counts = () => true) {
    Object.assign(this, { busy: what, error: null });
    this.#changed();
    try {
      await work();
    } catch (err) {
      this.error = counts() ? err : this.error;
    }
    if (counts()) {
      this.busy = '';
      this.#changed();
    }
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

/** The query of a file's import: what was chosen, and the file's name. */
export function importQuery(file, chosen) {
  const given = [...choices, 'columns', 'include', 'dryRun'].filter((name) => chosen[name] !== undefined && chosen[name] !== '');
  return new URLSearchParams([['name', file.name.slice(-100)], ...given.map((name) => [name, chosen[name]])]).toString();
}
