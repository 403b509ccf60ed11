import { h } from './dom.js';

/** Rows made beyond each edge of what is seen. */
const MARGIN = 8;

/**
 * A list of rows of one height, of which only those in sight are in the page.
 * @template T
 */
export class VirtualList {
  /** @type {T[]} */
  #items = [];
  /** Rows in the page by their keys, and where they are. @type {Map<string, {row: HTMLElement, index: number}>} */
  #made = new Map();
  /** The keys of rows, as they were when the items were shown. @type {Map<T, string>} */
  #keys = new Map();
  /** Of a row, in pixels; 0 where it is not known yet. */
  #rowHeight = 0;
  #shown = { count: -1, active: '' };
  /** @type {number | undefined} */
  #frame;
  #first = 0;
  #last = 0;

  /**
   * @param {object} by
   * @param {string} by.label what screen readers call the list
   * @param {(item: T) => string} by.id
   * @param {(item: T) => string} by.key changes when the row has to be drawn anew
   * @param {(item: T) => HTMLElement} by.row
   * @param {(item: T) => void} by.open
   * @param {() => void} by.scrolled
   */
  constructor(by) {
    this.by = by;
    this.active = '';
    this.sizer = h('div', { class: 'sizer', role: 'presentation' });
    this.element = h(
      'div',
      {
        class: 'list',
        role: 'listbox',
        tabindex: '0',
        'aria-label': by.label,
        onscroll: () => this.#soon(),
        onkeydown: (/** @type {KeyboardEvent} */ event) => this.#pressed(event),
      },
      this.sizer,
    );
    this.observer = new ResizeObserver(() => this.#soon());
    this.observer.observe(this.element);
  }

  close() {
    this.observer.disconnect();
    if (this.#frame) cancelAnimationFrame(this.#frame);
  }

  /** Which items are in sight. */
  get range() {
    return { first: this.#first, last: this.#last };
  }

  get isAtTop() {
    return this.element.scrollTop < this.#height / 2;
  }

  /** @param {T[]} items */
  show(items) {
    this.#items = items;
    this.#keys.clear();
    this.#draw();
  }

  toTop() {
    this.element.scrollTop = 0;
    this.#draw();
  }

  get #height() {
    this.#rowHeight ||= parseFloat(getComputedStyle(this.element).getPropertyValue('--row'));
    return this.#rowHeight || 64;
  }

  #soon() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#draw();
      this.by.scrolled();
    });
  }

  #draw() {
    const height = this.#height;
    const { scrollTop, clientHeight } = this.element;
    this.#first = Math.max(0, Math.floor(scrollTop / height) - MARGIN);
    this.#last = Math.min(this.#items.length, Math.ceil((scrollTop + clientHeight) / height) + MARGIN);
    const count = this.#items.length;
    const isSame = count === this.#shown.count && this.active === this.#shown.active;
    if (count !== this.#shown.count) this.sizer.style.height = `${count * height}px`;
    /** @type {Map<string, {row: HTMLElement, index: number}>} */
    const made = new Map();
    for (let index = this.#first; index < this.#last; index += 1) {
      const item = /** @type {T} */ (this.#items[index]);
      const key = this.#key(item);
      const known = this.#made.get(key);
      const row = known?.row ?? this.#make(item);
      // Each attribute that is set has the browser look at the row again.
      if (known?.index !== index) {
        row.style.transform = `translateY(${index * height}px)`;
        row.setAttribute('aria-posinset', String(index + 1));
      }
      if (!known || !isSame) {
        row.setAttribute('aria-setsize', String(count));
        row.setAttribute('aria-selected', String(this.by.id(item) === this.active));
      }
      made.set(key, { row, index });
    }
    for (const [key, { row }] of this.#made) if (!made.has(key)) row.remove();
    this.sizer.append(...[...made.values()].map(({ row }) => row).filter((row) => !row.isConnected));
    this.#made = made;
    this.#shown = { count, active: this.active };
    this.#point();
  }

  /** @param {T} item */
  #key(item) {
    const key = this.#keys.get(item) ?? this.by.key(item);
    this.#keys.set(item, key);
    return key;
  }

  /** @param {T} item */
  #make(item) {
    const row = this.by.row(item);
    row.id = `row-${this.by.id(item)}`;
    row.setAttribute('role', 'option');
    row.addEventListener('click', () => {
      this.active = this.by.id(item);
      this.#draw();
      this.by.open(item);
    });
    return row;
  }

  /** Tells screen readers which row is the active one, where it is in the page. */
  #point() {
    const row = this.active && document.getElementById(`row-${this.active}`);
    if (row) this.element.setAttribute('aria-activedescendant', row.id);
    else this.element.removeAttribute('aria-activedescendant');
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const at = this.#items.findIndex((item) => this.by.id(item) === this.active);
    const page = Math.max(1, Math.floor(this.element.clientHeight / this.#height) - 1);
    /** @type {Record<string, number>} */
    const steps = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: this.#items.length - 1,
    };
    const active = this.#items[at];
    if (event.key === 'Enter' && active !== undefined) {
      event.preventDefault();
      this.by.open(active);
      return;
    }
    const wanted = steps[event.key];
    if (wanted === undefined || this.#items.length === 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.#activate(Math.min(Math.max(wanted, 0), this.#items.length - 1));
  }

  /** @param {number} index */
  #activate(index) {
    this.active = this.by.id(/** @type {T} */ (this.#items[index]));
    this.reveal();
  }

  /** Brings the active item into view, where it is one of the list. */
  reveal() {
    const index = this.#items.findIndex((item) => this.by.id(item) === this.active);
    const height = this.#height;
    const { scrollTop, clientHeight } = this.element;
    if (index >= 0 && index * height < scrollTop) this.element.scrollTop = index * height;
    else if ((index + 1) * height > scrollTop + clientHeight) {
      this.element.scrollTop = (index + 1) * height - clientHeight;
    }
    this.#draw();
  }
}
