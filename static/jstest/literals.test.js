import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const folder = new URL('../js/', import.meta.url);

/** What looks like text and is none: names of keys, headers and methods, and reasons of errors that nobody reads. */
const names = /^(?:Enter|Escape|Delete|Backspace|Home|End|Tab|Arrow\w+|Page\w+|Authorization|Bearer|Content-Type|Content-Disposition|Idempotency-Key|Retry-After|X-[\w-]+|ExpenseFlow|UTC|EUR|INR|io server disconnect|Authentication error|cannot load)$/;

/** The source without its comments. Strings are kept, though they may look like the beginning of one. */
function withoutComments(source) {
  return source.replace(/('(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\*[^]*?\*\/|(^|[^:\\])\/\/[^\n]*/g, (_, string, before) => string ?? before ?? '');
}

/** The strings of a module: what it says to people, and names. */
function strings(source) {
  const code = withoutComments(source)
    .replace(/\b(?:import|export)\b[^;]*?from '[^']*';/g, '')
    .replace(/(?:throw new Error|new Unreachable|closest|matches|querySelector(?:All)?|matchMedia)\??\.?\((?:'[^']*'|`[^`]*`)/g, '')
    .replace(/\b(?:class|className|rel|media|d|points|transform|viewBox): (?:'[^']*'|`[^`]*`)/g, '');
  return [...code.matchAll(/'((?:\\.|[^'\\\n])*)'|`((?:\\.|[^`\\])*)`/g)].map(([, plain, template]) => plain ?? template);
}

/** Reports whether a string is something that people read: words with spaces between them, or a word with a capital. */
function isText(string) {
  const words = string.replace(/\$\{[^}]*\}/g, ' ').trim();
  return !names.test(words) && (/[\p{L}…]{2,},? [\p{L}]{2,}/u.test(words) || /^\p{Lu}\p{Ll}/u.test(words) || /…/.test(words));
}

function textsOf(source) {
  return strings(source).filter(isText);
}

test('what people read is told from names', () => {
  assert.deepEqual(textsOf(`
    import { h } from './Some module.js'; // 'Not this one'
    h('p', { class: 'plain small' }, 'Close', \`\${n} waiting\`, 'one more entry', 'Loading…');
    if (event.key === 'Escape') throw new Error('this cannot be');
    /* 'Nor this' */ text('frame.close');`), ['Close', 'one more entry', 'Loading…']);
});

test('every text that people read is in the catalogue', () => {
  const modules = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.js') && !name.startsWith('words'));
  const found = modules.map((name) => [name, textsOf(readFileSync(new URL(name, folder), 'utf8'))]).filter(([, texts]) => texts.length > 0);
  assert.deepEqual(Object.fromEntries(found), {});
});
