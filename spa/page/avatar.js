import { h } from './dom.js';

/** Colours that keep white letters readable: as many as people can tell apart. */
const HUES = 12;

/** A number that stays the same for the same text. @param {string} text */
function hash(text) {
  let sum = 0;
  for (const letter of text) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) >>> 0;
  return sum;
}

/** The colour of a person. @param {string} id */
export const hueOf = (id) => hash(id) % HUES;

/** Letters and digits of most scripts; the classes of Unicode take long to compile. */
const WORDS_IN_NAMES = /[\da-z\u00c0-\u1fff\u3040-\ud7ff]+/gi;

/** One letter of Chinese and the like, two of other names: `Hiking club` is `HC`. @param {string} name */
function initials(name) {
  const words = name.match(WORDS_IN_NAMES) ?? [];
  const [first = ''] = words;
  if (/^[\u3040-\ud7ff]/.test(first)) return first.slice(0, 1);
  const letters = words.length > 1 ? [first, words.at(-1) ?? ''] : [first];
  return letters.map((word) => [...word][0] ?? '').join('').toUpperCase() || '#';
}

/**
 * Initials on the colour that a person or conversation always has; their name stands beside it.
 * @param {string} id
 * @param {string} name
 * @param {string} [platform] shown in the corner
 */
export const avatar = (id, name, platform) =>
  h('span', { class: `avatar hue-${hueOf(id)}`, 'aria-hidden': 'true' }, initials(name), platform ? h('span', { class: 'platform-mark' }, initials(platform)) : null);
