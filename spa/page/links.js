// Web addresses in text that people wrote.

/** An address, up to what surely is not part of it: space, quotes, controls, Chinese marks. */
const ADDRESS = /https?:\/\/[^\s<>"'`\p{Cc}\p{Cf}，。、！？；：…（）【】《》〈〉「」『』“”‘’]+/giu;

/** Marks that end a sentence more often than an address. */
const SENTENCE_ENDS = new Set('.,;:!?*_~');

/** Brackets that close, each with the one that opens it. */
const BRACKETS = new Map([[')', '('], [']', '['], ['}', '{']]);

/**
 * How much of an address is one: a mark at its end belongs to the sentence around it, and a bracket
 * that was not opened in it does too.
 * @param {string} text
 */
function lengthOf(text) {
  const unopened = new Map([...BRACKETS].map(([close, open]) => [close, count(text, close) - count(text, open)]));
  let end = text.length;
  for (; end > 0; end -= 1) {
    const last = text.charAt(end - 1);
    const excess = unopened.get(last) ?? 0;
    if (!SENTENCE_ENDS.has(last) && excess <= 0) break;
    if (excess > 0) unopened.set(last, excess - 1);
  }
  return end;
}

/**
 * @param {string} text
 * @param {string} mark
 */
const count = (text, mark) => text.split(mark).length - 1;

/**
 * The text in pieces, of which every second one is an address.
 * @param {string} text
 */
export function splitAtAddresses(text) {
  const pieces = [];
  let at = 0;
  for (const { 0: found, index } of text.matchAll(ADDRESS)) {
    const end = index + lengthOf(found);
    pieces.push(text.slice(at, index), text.slice(index, end));
    at = end;
  }
  return [...pieces, text.slice(at)];
}
