/**
 * The address of the folder that the page is served from, with the slash at its end:
 * `https://example.org/`, or such as `https://example.org/money/` behind a proxy that
 * has the server under a path. API and live connection are below it. It is known by
 * where this module came from, so that nobody has to tell the page.
 */
export const base = import.meta.url.startsWith('file:') ? 'http://localhost/' : new URL('..', import.meta.url).href;

/** The path of base: `/`, or such as `/money/`. */
export const basePath = new URL(base).pathname;

/**
 * The name for something that a browser keeps by origin. Another installation under
 * another path of the same origin finds nothing of this one.
 */
export function keptName(name, path = basePath) {
  return path === '/' ? name : path + name;
}
