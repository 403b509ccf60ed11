// Runs before anything is painted, while the page's script is still on its way: sets the theme and the
// language, and asks for the conversations, which every view needs.
(() => {
  const root = document.documentElement;
  const script = /** @type {HTMLScriptElement} */ (document.currentScript);
  /** @param {string} name */
  const kept = (name) => {
    try {
      return sessionStorage.getItem(name) ?? localStorage.getItem(name) ?? undefined;
    } catch {
      // The browser keeps nothing for this page.
      return undefined;
    }
  };
  const language = kept('rechat.language') ?? navigator.language;
  root.dataset.theme = kept('rechat.theme') ?? 'system';
  root.lang = language.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en';

  const words = document.createElement('link');
  words.rel = 'modulepreload';
  words.href = new URL(`words/${root.lang === 'en' ? 'en' : 'zh'}.js`, script.src).href;
  document.head.append(words);

  // There is no token yet where somebody signs in by a code.
  if (location.hash.startsWith('#sign-in=')) return;
  const token = kept('rechat.token');
  const path = 'api/conversations?limit=200';
  const answer = fetch(path, { cache: 'no-store', headers: token ? { authorization: `Bearer ${token}` } : {} }).then(
    async (response) => ({ response, body: await response.json().catch(() => ({})) }),
  );
  // It is told where it is waited for.
  answer.catch(() => {});
  Object.assign(globalThis, { firstRequest: { path, answer } });
})();
