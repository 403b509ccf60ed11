import { h } from '../dom.js';

/** Rows added at an edge that comes near: few at a time, so that no frame is late; more where it is very near. */
const STEP = 4;
const LEAP = 12;

/** Rows kept beyond what is seen. */
const KEPT = 60;

/** How near an edge of the rows in the page may come, in heights of the view. */
const NEAR = 1;

/** How far from the end counts as being there, in pixels. */
const END = 40;

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
    const rows = this.#rows();
    const isSeen = (/** @type {DOMRect} */ at) => at.bottom > top && at.top < bottom;
    const seen = rows.filter((row) => isSeen(row.getBoundingClientRect()));
    const at = (/** @type {HTMLElement | undefined} */ row) => (row ? this.#first + rows.indexOf(row) : -1);
    return { first: at(seen[0]), last: at(seen.at(-1)) };
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
      this.#range(items.length - Math.max(length, KEPT), items.length);
    } else {
      const moved = items.findIndex((item) => item.id === before);
      const first = moved >= 0 ? moved : Math.max(0, (kept ?? 0) - LEAP);
      this.#range(first, first + Math.max(length, KEPT));
    }
    this.#draw();
    // New items may be near the view without any scrolling.
    this.#soon();
  }

  toEnd() {
    this.isAtEnd = true;
    this.#range(this.#items.length - KEPT, this.#items.length);
    this.#draw();
  }

  /**
   * Brings a row into view.
   * @param {string} id
   * @param {'center' | 'start' | 'nearest'} [block]
   */
  reveal(id, block = 'center') {
    const index = this.#items.findIndex((item) => item.id === id);
    if (index < 0) return undefined;
    if (index < this.#first || index >= this.#last) this.#range(index - KEPT / 2, index + KEPT / 2);
    this.isAtEnd = false;
    this.#anchor = undefined;
    this.#draw();
    const row = this.row(id);
    if (!row) return undefined;
    const top = this.#top(row);
    const room = this.element.clientHeight - row.offsetHeight;
    const isSeen = top >= 0 && top <= room;
    const wanted = block === 'start' ? 0 : block === 'center' ? Math.max(0, room / 2) : isSeen ? top : top < 0 ? 0 : room;
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
    const margin = clientHeight * NEAR;
    this.isAtEnd = below < END && this.#last >= this.#items.length;
    this.#setAnchor();
    const { first, last } = this.range;
    const step = Math.min(scrollTop, below) < margin / 2 ? LEAP : STEP;
    if (scrollTop < margin && this.#first > 0) this.#moveTo(this.#first - step, Math.min(this.#last, last + KEPT));
    else if (below < margin && this.#last < this.#items.length) this.#moveTo(Math.max(this.#first, first - KEPT), this.#last + step);
    this.by.scrolled();
  }

  /**
   * @param {number} first
   * @param {number} last
   */
  #moveTo(first, last) {
    this.#range(first, last);
    this.#draw();
  }

  /**
   * @param {number} first
   * @param {number} last
   */
  #range(first, last) {
    this.#first = Math.max(0, Math.min(first, this.#items.length));
    this.#last = Math.max(this.#first, Math.min(last, this.#items.length));
  }

  #draw() {
    const wanted = this.#items.slice(this.#first, this.#last);
    const ids = new Set(wanted.map((item) => item.id));
    for (const [id, { element }] of this.#made) {
      if (ids.has(id)) continue;
      element.remove();
      this.#made.delete(id);
    }
    let place = this.inner.firstElementChild;
    wanted.forEach((item, index) => {
      const element = this.#make(item, this.#items[this.#first + index - 1]);
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
    const element = this.by.row(item, before, known?.element);
    known?.element.replaceWith(element);
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
    const row = this.#rows().find((made) => this.#top(made) + made.offsetHeight > 0);
    const id = row?.dataset.id;
    this.#anchor = row && id ? { id, top: this.#top(row) } : undefined;
  }

  /** @param {HTMLElement} row */
  #top(row) {
    return row.getBoundingClientRect().top - this.element.getBoundingClientRect().top;
  }

  #rows() {
    return /** @type {HTMLElement[]} */ ([...this.inner.children]);
  }
}
