import { ask, withQuery } from '../api.js';
import { fill, h, isComposing } from '../dom.js';
import { errorText } from '../errors.js';
import { number } from '../format.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { EVERYTHING, MessageList } from '../list.js';

/** How long typing may rest before it is searched, in milliseconds. */
const TYPING_PAUSE = 250;

/** Hits before the last one that is loaded at which more are loaded. */
const LOAD_AHEAD = 5;

/** The search in one conversation, from hit to hit, and the way to a date. */
export class Finder {
  /** @type {MessageList | undefined} */
  #hits;
  /** @type {(() => void) | undefined} */
  #end;
  /** The hit that is shown. */
  #at = '';
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #typing;

  /**
   * @param {import('../feed.js').Feed} feed
   * @param {{platform: string, conversation: string}} of
   * @param {object} by
   * @param {(id: string) => void} by.show shows a message
   * @param {(query: string) => void} by.mark marks a text in what is shown
   * @param {() => void} by.closed
   */
  constructor(feed, { platform, conversation }, by) {
    this.feed = feed;
    this.of = { platform, conversation };
    this.by = by;
    const button = (/** @type {Parameters<typeof icon>[0]} */ picture, /** @type {import('../i18n.js').Word} */ name, /** @type {() => void} */ run) =>
      h('button', { class: 'plain', 'aria-label': t(name), title: t(name), onclick: run }, icon(picture));
    this.field = h('input', { type: 'search', placeholder: t('searchHere'), 'aria-label': t('searchHere'), oninput: () => this.#typed(), onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event) });
    this.count = h('span', { class: 'muted', role: 'status' });
    this.date = h('input', { type: 'date', 'aria-label': t('toDate'), title: t('toDate'), onchange: () => void this.#toDate() });
    this.element = h(
      'search',
      { class: 'finder', hidden: true },
      this.field,
      this.count,
      button('up', 'olderHit', () => this.#step(1)),
      button('down', 'newerHit', () => this.#step(-1)),
      this.date,
      button('close', 'close', () => this.close()),
    );
  }

  open() {
    this.element.hidden = false;
    this.field.select();
    this.field.focus();
  }

  close() {
    if (this.element.hidden) return;
    this.element.hidden = true;
    this.field.value = '';
    this.#ask();
    this.by.closed();
  }

  /** Ends what it follows. */
  end() {
    clearTimeout(this.#typing);
    this.#end?.();
    this.#hits?.close();
  }

  #typed() {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.#ask(), TYPING_PAUSE);
  }

  #ask() {
    const q = this.field.value.trim();
    if (q === (this.#hits?.query.q ?? '')) return;
    this.end();
    this.#at = '';
    this.by.mark(q);
    const hits = q ? new MessageList(this.feed, { ...EVERYTHING, ...this.of, q }) : undefined;
    this.#hits = hits;
    this.#end = hits?.changed.follow(() => this.#draw());
    this.#draw();
  }

  #draw() {
    const { rows = [], isLoading, isComplete, error } = this.#hits ?? {};
    if (!this.#at && rows[0]) this.#show(rows[0].id);
    const at = rows.findIndex(({ id }) => id === this.#at) + 1;
    const n = number(rows.length) + (isComplete ? '' : '+');
    fill(this.count, !this.#hits ? '' : error ? errorText(error) : rows.length > 0 ? t('hitOf', { at, n }) : t(isLoading ? 'searching' : 'noneFound'));
  }

  /** Goes so many hits further back. @param {number} by */
  #step(by) {
    this.#ask();
    const { rows = [] } = this.#hits ?? {};
    const at = rows.findIndex(({ id }) => id === this.#at);
    if (at + by + LOAD_AHEAD > rows.length) void this.#hits?.older();
    const wanted = rows[at + by];
    if (wanted) this.#show(wanted.id);
    this.#draw();
  }

  /** @param {string} id */
  #show(id) {
    this.#at = id;
    this.by.show(id);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (isComposing(event)) return;
    const by = { Enter: event.shiftKey ? -1 : 1, ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (by) this.#step(by);
    else if (event.key === 'Escape') this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Shows the first message of a day, or the next one after it. */
  async #toDate() {
    const seconds = new Date(`${this.date.value}T00:00`).getTime() / 1000;
    if (!Number.isFinite(seconds)) return;
    // Lists begin at the end: the first message since then is the last of so many.
    const { total } = await ask(withQuery('api/stats', { ...this.of, since: seconds })).catch(() => ({ total: 0 }));
    const path = withQuery('api/messages', { ...this.of, since: seconds, order: 'time', limit: 1, offset: Math.max(0, total - 1) });
    const told = await ask(path).catch(() => undefined);
    const [first] = told?.messages ?? [];
    if (first) this.by.show(first.id);
    fill(this.count, first ? '' : t('noneFound'));
  }
}
