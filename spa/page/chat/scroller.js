import { h } from '../dom.js';

/** Rows added at an edge that comes near: few at a time, so that no frame is late; more where it is very near. */
const STEP = 3;
const LARGE_STEP = 8;

/** Rows kept beyond what is seen. */
const ROWS_KEPT = 60;

/** Rows are at least so high, in pixels: it tells how many fill the view. */
const MIN_ROW_HEIGHT = 36;

/** How near an edge of the rows in the page may come, in heights of the view. */
const EDGE_HEIGHTS = 1;

/** How far from the end counts as being there, in pixels. */
const END_PIXELS = 40;

/** Whether a part of an element's text is selected. @param {HTMLElement} element */
function isSelected(element) {
  const selection = getSelection();
  return !!selection && !selection.isCollapsed && selection.containsNode(element, true);
}

/**
 * A conversation's rows, each as high as it wants, of which only those around the view are in the
 * page. Whatever is added, removed or grows, the row that is read stays where it is; who is at the
 * end stays there.
 * @template {{id: string}} T
 */
export class Scroller {
  /** @type {T[]} */
  #items = [];
  #first = 0;
  #last = 0;
  /** @type {Map<string, {key: string, item: T, element: HTMLElement}>} */
  #made = new Map();
  /** The row that is read, and how far its top is from the view's. @type {{id: string, top: number} | undefined} */
  #anchor;
  /** @type {number | undefined} */
  #frame;
  isAtEnd = true;

  /**
   * @param {object} by
   * @param {string} by.label
   * @param {(item: T, before: T | undefined) => string} by.key what of its surroundings changes a row's looks
   * @param {(item: T, before: T | undefined, old: HTMLElement | undefined) => HTMLElement} by.row
   * @param {() => void} by.scrolled
   */
  constructor(by) {
    this.by = by;
    this.inner = h('div', { class: 'scroller-rows' });
    this.element = h('div', { class: 'scroller', role: 'log', 'aria-live': 'off', 'aria-label': by.label, tabindex: '0', onscroll: () => this.#soon() }, this.inner);
    // Pictures and the window change heights without any scrolling.
    this.observer = new ResizeObserver(() => this.#hold());
    this.observer.observe(this.inner);
    this.observer.observe(this.element);
  }

  close() {
    this.observer.disconnect();
    if (this.#frame) cancelAnimationFrame(this.#frame);
  }

  /** Items whose rows are in sight, by their index. */
  get range() {
    const { top, bottom } = this.element.getBoundingClientRect();
    const { length } = this.inner.children;
    const first = this.#below(top);
    if (first === length) return { first: -1, last: -1 };
    return { first: this.#first + first, last: this.#first + Math.min(this.#below(bottom - 1), length - 1) };
  }

  /** The place among the rows of the first one that ends below a height; rows follow each other. @param {number} y */
  #below(y) {
    const { children } = this.inner;
    let [from, to] = [0, children.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (/** @type {Element} */ (children[middle]).getBoundingClientRect().bottom > y) to = middle;
      else from = middle + 1;
    }
    return from;
  }

  /** The row that is read, where it is not the end that is. */
  get place() {
    return this.isAtEnd ? undefined : this.#anchor;
  }

  /** Rows that fill the view for sure. */
  get #enough() {
    return Math.ceil(this.element.clientHeight / MIN_ROW_HEIGHT) + LARGE_STEP;
  }

  /** The row of an item, where it is in the page. @param {string} id */
  row(id) {
    return this.#made.get(id)?.element;
  }

  /** @param {T[]} items */
  show(items) {
    const kept = this.#anchor && items.findIndex((item) => item.id === this.#anchor?.id);
    const before = this.#items[this.#first]?.id;
    const length = this.#last - this.#first;
    this.#items = items;
    if (this.isAtEnd) {
      this.#range(items.length - Math.max(length, this.#enough), items.length);
    } else {
      const moved = items.findIndex((item) => item.id === before);
      const first = moved >= 0 ? moved : Math.max(0, (kept ?? 0) - LARGE_STEP);
      this.#range(first, first + Math.max(length, this.#enough));
    }
    this.#draw();
    // New items may be near the view without any scrolling.
    this.#soon();
  }

  toEnd() {
    this.isAtEnd = true;
    this.#range(this.#items.length - this.#enough, this.#items.length);
    this.#draw();
    this.#soon();
  }

  /**
   * Brings a row into view.
   * @param {string} id
   * @param {'center' | 'start' | 'nearest' | number} [block] where in the view; a number is how far its top is from the view's
   */
  reveal(id, block = 'center') {
    const index = this.#items.findIndex((item) => item.id === id);
    if (index < 0) return undefined;
    if (index < this.#first || index >= this.#last) this.#range(index - this.#enough / 2, index + this.#enough);
    this.isAtEnd = false;
    this.#anchor = undefined;
    this.#draw();
    const row = this.row(id);
    if (!row) return undefined;
    const top = this.#top(row);
    const room = this.element.clientHeight - row.offsetHeight;
    const isSeen = top >= 0 && top <= room;
    const wanted = typeof block === 'number' ? block : block === 'start' ? 0 : block === 'center' ? Math.max(0, room / 2) : isSeen ? top : top < 0 ? 0 : room;
    this.element.scrollTop += top - wanted;
    this.#look();
    return row;
  }

  #soon() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#look();
    });
  }

  /** Sees where the view is now, and makes rows at an edge that has come near. */
  #look() {
    const { scrollTop, clientHeight, scrollHeight } = this.element;
    const below = scrollHeight - clientHeight - scrollTop;
    const margin = clientHeight * EDGE_HEIGHTS;
    this.isAtEnd = below < END_PIXELS && this.#last >= this.#items.length;
    this.#setAnchor();
    const { first, last } = this.range;
    const step = Math.min(scrollTop, below) < margin / 2 ? LARGE_STEP : STEP;
    if (scrollTop < margin && this.#first > 0) this.#moveTo(this.#first - step, Math.min(this.#last, last + ROWS_KEPT));
    else if (below < margin && this.#last < this.#items.length) this.#moveTo(Math.max(this.#first, first - ROWS_KEPT), this.#last + step);
    this.by.scrolled();
  }

  /**
   * @param {number} first
   * @param {number} last
   */
  #moveTo(first, last) {
    this.#range(first, last);
    this.#draw(true);
    // Until enough is there.
    this.#soon();
  }

  /**
   * @param {number} first
   * @param {number} last
   */
  #range(first, last) {
    this.#first = Math.max(0, Math.min(Math.floor(first), this.#items.length));
    this.#last = Math.max(this.#first, Math.min(Math.ceil(last), this.#items.length));
  }

  /** @param {boolean} [isMoved] whether the items are those of the last time, and their looks */
  #draw(isMoved = false) {
    const wanted = this.#items.slice(this.#first, this.#last);
    const ids = new Set(wanted.map((item) => item.id));
    for (const [id, { element }] of this.#made) {
      if (ids.has(id)) continue;
      element.remove();
      this.#made.delete(id);
    }
    let place = this.inner.firstElementChild;
    wanted.forEach((item, index) => {
      const known = isMoved ? this.#made.get(item.id)?.element : undefined;
      const element = known ?? this.#make(item, this.#items[this.#first + index - 1]);
      const isInPlace = element === place || (place && !place.isConnected);
      if (isInPlace) place = element.nextElementSibling;
      else this.inner.insertBefore(element, place);
    });
    this.#hold();
  }

  /**
   * The row of an item: the one it has, unless its looks changed.
   * @param {T} item
   * @param {T | undefined} before
   */
  #make(item, before) {
    const key = this.by.key(item, before);
    const known = this.#made.get(item.id);
    if (known?.item === item && known.key === key) return known.element;
    // A selection in it would be lost; it is drawn anew the next time.
    if (known && isSelected(known.element)) return known.element;
    const hadFocus = known?.element.contains(document.activeElement);
    const element = this.by.row(item, before, known?.element);
    known?.element.replaceWith(element);
    if (hadFocus) /** @type {HTMLElement | null} */ (element.querySelector('.message'))?.focus({ preventScroll: true });
    this.#made.set(item.id, { key, item, element });
    return element;
  }

  /** Puts the row that is read, or the end, back to where it was. */
  #hold() {
    if (this.isAtEnd) {
      this.element.scrollTop = this.element.scrollHeight;
    } else {
      const row = this.#anchor && this.row(this.#anchor.id);
      const moved = row ? this.#top(row) - (this.#anchor?.top ?? 0) : 0;
      if (Math.abs(moved) >= 1) this.element.scrollTop += moved;
    }
    this.#setAnchor();
  }

  #setAnchor() {
    const row = /** @type {HTMLElement | undefined} */ (this.inner.children[this.#below(this.element.getBoundingClientRect().top)]);
    const id = row?.dataset.id;
    this.#anchor = row && id ? { id, top: this.#top(row) } : undefined;
  }

  /** @param {HTMLElement} row */
  #top(row) {
    return row.getBoundingClientRect().top - this.element.getBoundingClientRect().top;
  }
}
