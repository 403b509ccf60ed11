/** @typedef {typeof import('./words/en.js').words} Words */
/** @typedef {keyof Words} Word */
/** @typedef {'en' | 'zh'} Language */

const LANGUAGE = 'rechat.language';
/** The languages there are, each by its own name. @type {Record<Language, string>} */
export const LANGUAGES = { en: 'English', zh: '中文' };

/** The language that `early.js` chose. @type {Language} */
let language = document.documentElement.lang === 'en' ? 'en' : 'zh';

/** The words of the language. @type {Record<Word, string>} */
let words;

/** Loads the words of the language; before that, there are none. @param {Language} [name] */
export async function loadWords(name = language) {
  ({ words } = name === 'zh' ? await import('./words/zh.js') : await import('./words/en.js'));
  language = name;
}

/** Loads the names of emoji in both languages, by which they are found. */
export const emojiNames = async () => (await import('./words/emoji.js')).names;

export function currentLanguage() {
  return language;
}

/** The language as `lang` and `Intl` call it. */
export function locale() {
  return language === 'zh' ? 'zh-CN' : 'en';
}

/** Loads the words of another language, and keeps the choice. @param {Language} name */
export async function setLanguage(name) {
  await loadWords(name);
  try {
    localStorage.setItem(LANGUAGE, name);
  } catch {
    // It then holds for this page alone.
  }
}

/** Whether there are words of this name. @param {string} name @returns {name is Word} */
export const isWord = (name) => name in words;

/** A number with its thousands apart, alike in both languages: `Intl` takes 20 ms to begin. @param {number} n */
export const grouped = (n) => String(n).replace(/\B(?=(?:\d{3})+(?!\d))(?<!\.\d*)/g, ',');

/**
 * The words for something, with `{names}` filled in. Where there are two forms, with `|` between,
 * `n` decides.
 * @param {Word} word
 * @param {Record<string, string | number>} [values]
 */
export function t(word, values = {}) {
  const [one = '', other = one] = words[word].split('|');
  const text = values.n === 1 ? one : other;
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name] ?? '';
    return typeof value === 'number' ? grouped(value) : value;
  });
}
