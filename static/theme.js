/**
 * Applies the theme of this device before anything is drawn, so that no page flashes in
 * the other one: a script of its own, because modules run later. js/theme.js chooses it.
 */
(() => {
  const folder = new URL('.', document.currentScript.src).pathname;
  const key = `${folder === '/' ? '' : folder}expenseflow.theme`; // as keptName of js/base.js
  const schemes = ['light', 'dark'];

  function chosen() {
    try {
      const theme = JSON.parse(localStorage.getItem(key));
      return schemes.includes(theme) ? theme : '';
    } catch {
      return ''; // no storage, or something else under the key
    }
  }

  // What is for one scheme only has a media attribute that names it.
  function apply(theme) {
    const forced = schemes.includes(theme);
    forced ? document.documentElement.setAttribute('data-theme', theme) : document.documentElement.removeAttribute('data-theme');
    for (const scheme of schemes) {
      const own = `(prefers-color-scheme: ${scheme})`;
      document.querySelectorAll(`head [media="${own}"], head [data-scheme="${scheme}"]`).forEach((element) => {
        element.dataset.scheme = scheme;
        element.media = forced ? (scheme === theme ? 'all' : 'not all') : own;
      });
    }
  }

  apply(chosen());
  addEventListener('expenseflow-theme', (event) => apply(event.detail));
  addEventListener('storage', (event) => (event.key === key || event.key === null) && apply(chosen()));
})();
