/** What stands before the list of an answer, and between two of its elements: in a text of JSON, every quote is escaped. */
const beforeList = ',"expenses":[';
const between = '},{"_id":';

/** In how many characters what stands before the list ends. */
const longestHead = 1_000;

/** How many times as many expenses must be there before they are given away again: showing them takes longer than reading them. */
const growth = 4;

/**
 * An answer that may end in a list of all expenses, `{..., "expenses":[...]}`, read as it
 * arrives: what is complete of the list is given away before the rest is there, a few at
 * first, then more at a time. No part is read twice.
 */
export class ArrivingList {
  #arrived;
  #text = ''; // what is not read yet
  #head = null; // the answer without its list
  #expenses = [];
  #given = 0; // how many of them were given away

  /** @param {(expenses: object[]) => void} arrived is called with what is complete, again and again, in order */
  constructor(arrived) {
    this.#arrived = arrived;
  }

  /** Takes more of the text. */
  take(text) {
    this.#text += text;
    this.#head ??= this.#readHead();
    const end = this.#head ? this.#text.lastIndexOf(between) : -1;
    if (end >= 0) {
      this.#expenses.push(...JSON.parse(`[${this.#text.slice(0, end + 1)}]`));
      this.#text = this.#text.slice(end + 2);
      this.#give();
    }
  }

  #give() {
    const { length } = this.#expenses;
    if (length >= growth * this.#given) {
      this.#arrived(this.#expenses.slice(this.#given));
      this.#given = length;
    }
  }

  /** The answer, when all of its text was taken. */
  finish() {
    if (!this.#head) {
      return JSON.parse(this.#text);
    }
    const { rest } = JSON.parse(`{"rest":[${this.#text}`);
    return { ...this.#head, expenses: [...this.#expenses, ...rest] };
  }

  #readHead() {
    const at = this.#text.slice(0, longestHead).indexOf(beforeList);
    if (at < 0) {
      return null;
    }
    const head = JSON.parse(`${this.#text.slice(0, at)}}`);
    this.#text = this.#text.slice(at + beforeList.length);
    return head;
  }
}
