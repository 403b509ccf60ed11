// Marks what was searched for in the messages that are shown, without touching their elements.

import { hitsIn } from '../hits.js';

/** The name that the style sheet knows. */
const NAME = 'found';

/** Keeps the marks of one text in rows that come and go. */
export class Highlights {
  #query = '';
  /** Elements whose text was looked at already. @type {WeakSet<Element>} */
  #done = new WeakSet();

  /** @param {string} query */
  mark(query) {
    if (query === this.#query) return;
    this.#query = query;
    this.#done = new WeakSet();
    CSS.highlights?.delete(NAME);
  }

  /** Marks the hits in elements that are new. @param {HTMLElement} root */
  update(root) {
    if (!this.#query || !CSS.highlights) return;
    const marks = CSS.highlights.get(NAME) ?? new Highlight();
    for (const element of root.querySelectorAll('.bubble > .name, .said-here')) {
      if (this.#done.has(element)) continue;
      this.#done.add(element);
      for (const range of rangesIn(element, this.#query)) marks.add(range);
    }
    CSS.highlights.set(NAME, marks);
  }
}

/**
 * @param {Element} element
 * @param {string} query
 */
function rangesIn(element, query) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  /** @type {{node: Node, start: number}[]} */
  const parts = [];
  let text = '';
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    parts.push({ node, start: text.length });
    text += node.nodeValue ?? '';
  }
  return hitsIn(text, query).map(({ start, end }) => {
    const range = new Range();
    const first = parts.findLast((part) => part.start <= start);
    const last = parts.findLast((part) => part.start < end);
    if (first) range.setStart(first.node, start - first.start);
    if (last) range.setEnd(last.node, end - last.start);
    return range;
  });
}
