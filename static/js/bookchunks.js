/** How many rows a chunk has at most. */
const mostRows = 500;

/**
 * Rows in chunks, each of which is stored as one text: a browser takes about as long to
 * store or read one row as hundreds of them in one record. A row stays in its chunk, so
 * that a change writes one chunk again; a new one goes into the last, or begins another.
 */
export class BookChunks {
  #chunks = []; // maps from id to row
  #places = new Map(); // id to the number of its chunk
  #changed = new Set(); // numbers of chunks

  /** @param {string[]} texts the texts of all chunks, in order */
  constructor(texts = []) {
    texts.forEach((text) => this.#add(new Map(JSON.parse(text).map((row) => [row._id, row]))));
  }

  /** All rows, in the order in which they came. */
  rows() {
    return this.#chunks.flatMap((chunk) => [...chunk.values()]);
  }

  /** Puts these rows in place of all. */
  replace(rows) {
    [this.#chunks, this.#places, this.#changed] = [[], new Map(), new Set()];
    rows.forEach((row) => this.set(row));
  }

  set(row) {
    if (!this.#places.has(row._id)) {
      this.#place(row._id);
    }
    const number = this.#places.get(row._id);
    this.#chunks[number].set(row._id, row);
    this.#changed.add(number);
  }

  delete(id) {
    const number = this.#places.get(id);
    if (number !== undefined) {
      this.#places.delete(id);
      this.#chunks[number].delete(id);
      this.#changed.add(number);
    }
  }

  /** The numbers of the chunks that have changed since it was called last. */
  takeChanged() {
    const changed = [...this.#changed];
    this.#changed.clear();
    return changed;
  }

  /** The text of a chunk. */
  text(number) {
    return JSON.stringify([...this.#chunks[number].values()]);
  }

  #place(id) {
    if (!(this.#chunks.at(-1)?.size < mostRows)) {
      this.#add(new Map());
    }
    this.#places.set(id, this.#chunks.length - 1);
  }

  #add(chunk) {
    const number = this.#chunks.push(chunk) - 1;
    chunk.forEach((_, id) => this.#places.set(id, number));
  }
}
