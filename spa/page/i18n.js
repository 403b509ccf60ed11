import { en } from './words/en.js';
import { zh } from './words/zh.js';

/** @typedef {keyof typeof en} Word */
/** @typedef {'en' | 'zh'} Language */

const LANGUAGE = 'rechat.language';
/** @type {Record<Language, Record<Word, string>>} */
const WORDS = { en, zh };

/** The languages there are, each by its own name. @type {Record<Language, string>} */
export const LANGUAGES = { en: 'English', zh: '中文' };

/** @type {Language} */
let language = chosen() ?? (navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en');

/** @returns {Language | undefined} */
function chosen() {
  try {
    const name = localStorage.getItem(LANGUAGE);
    return name === 'en' || name === 'zh' ? name : undefined;
  } catch {
    return undefined;
  }
}

export function currentLanguage() {
  return language;
}

/** The language as `lang` and `Intl` call it. */
export function locale() {
  return language === 'zh' ? 'zh-CN' : 'en';
}

/** @param {Language} name */
export function setLanguage(name) {
  language = name;
  try {
    localStorage.setItem(LANGUAGE, name);
  } catch {
    // It then holds for this page alone.
  }
}

/** Whether there are words of this name. @param {string} name @returns {name is Word} */
export const isWord = (name) => name in en;

/** A number with its thousands apart, alike in both languages: `Intl` takes 20 ms to begin. @param {number} n */
export const grouped = (n) => String(n).replace(/\B(?=(?:\d{3})+(?!\d))(?<!\.\d*)/g, ',');

/**
 * The words for something, with `{names}` filled in. Where there are two forms, with `|` between,
 * `n` decides.
 * @param {Word} word
 * @param {Record<string, string | number>} [values]
 */
export function t(word, values = {}) {
  const [one = '', other = one] = WORDS[language][word].split('|');
  const text = values.n === 1 ? one : other;
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name] ?? '';
    return typeof value === 'number' ? grouped(value) : value;
  });
}
