// Where a text has what was searched for, compared as the server's search compares.

import { h } from './dom.js';

/** Characters before the first hit from which on the beginning of a text is left out. */
const MAX_BEFORE_HIT = 40;

/** Characters that stay before the first hit. */
const KEPT_BEFORE_HIT = 16;

/** Characters, and pieces, that a line can show. */
const MAX_LINE = 300;

/** Made when it is first needed, which takes 30 ms. @type {Intl.Segmenter | undefined} */
let graphemes;

/** A character without differences of case: `ß` is `ss`, and `ς` is `σ`. @param {string} character */
const fold = (character) => character.toLowerCase().toUpperCase().toLowerCase();

/** A text without differences of case, of width, of how accents are composed, and of invisible characters. @param {string} text */
const normal = (text) => Array.from(text.replace(/\p{DI}/gu, '').normalize('NFKC'), fold).join('').normalize('NFKC');

/**
 * Where a text has what was searched for; no hit overlaps another.
 * @param {string} text
 * @param {string} query
 */
export function hitsIn(text, query) {
  const wanted = normal(query.trim());
  // Few texts have it, and this is much faster than to look at each character.
  if (!wanted || !normal(text).includes(wanted)) return [];
  let all = '';
  /** For each character of the compared text, where it comes from. @type {{start: number, end: number}[]} */
  const from = [];
  graphemes ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  for (const { segment, index } of graphemes.segment(text)) {
    const part = normal(segment);
    all += part;
    for (let n = 0; n < part.length; n += 1) from.push({ start: index, end: index + segment.length });
  }
  const hits = [];
  let done = 0;
  for (let at = all.indexOf(wanted); at >= 0; at = all.indexOf(wanted, at + wanted.length)) {
    const start = from[at]?.start ?? 0;
    const end = from[at + wanted.length - 1]?.end ?? text.length;
    if (start < done) continue;
    hits.push({ start, end });
    done = end;
  }
  return hits;
}

/**
 * The text in pieces, of which every second one is a hit.
 * @param {string} text
 * @param {string} query
 */
function splitAtHits(text, query) {
  const pieces = [];
  let done = 0;
  for (const { start, end } of hitsIn(text, query)) {
    pieces.push(text.slice(done, start), text.slice(start, end));
    done = end;
  }
  return [...pieces, text.slice(done)];
}

/**
 * The text with its hits marked; what lies far before the first one is left out.
 * @param {string} text
 * @param {string} query
 */
export function withHits(text, query) {
  if (!query) return [text];
  const [before = '', ...rest] = splitAtHits(text, query);
  const isFar = rest.length > 0 && before.length > MAX_BEFORE_HIT;
  const shown = isFar ? `…${before.slice(-KEPT_BEFORE_HIT)}` : before;
  return [shown.slice(0, MAX_LINE), ...rest.slice(0, MAX_LINE).map((piece, at) => (at % 2 === 0 ? h('mark', null, piece) : piece.slice(0, MAX_LINE)))];
}
