import { fill, h, isComposing } from '../dom.js';
import { errorText } from '../errors.js';
import { platformName } from '../format.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { EVERYTHING, MessageList } from '../list.js';
import { nameOfConversation } from '../names.js';
import { link } from '../router.js';
import { VirtualList } from '../virtual.js';
import { openConversationMenu } from './conversation-menu.js';
import { drafts } from './drafts.js';
import { conversationId, idOf, keyOfLine, rowOf } from './sidebar-rows.js';

/** @typedef {import('../types.js').Conversation} Conversation */
/** @typedef {import('./sidebar-rows.js').Line} Line */

/** How long typing may rest before messages are searched, in milliseconds. */
const TYPING_PAUSE = 200;

/** Conversations found that are shown above found messages. */
const MAX_CONVERSATIONS = 30;

/** Rows before the end at which more found messages are loaded. */
const LOAD_AHEAD = 30;

/** The conversations, and what a search finds. */
export class Sidebar {
  /** Messages that the search has found. @type {MessageList | undefined} */
  #hits;
  /** @type {(() => void) | undefined} */
  #endHits;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #typing;
  #query = '';
  #platform = '';
  /** @type {Line[]} */
  #lines = [];
  /** Whether only conversations are shown that are unread, or open. */
  #isUnreadOnly = false;
  /** Whether the first line is to be opened once there is one. */
  #opensFirst = false;

  /**
   * @param {import('../feed.js').Feed} feed
   * @param {object} by
   * @param {(entry: {platform: string, conversation: string}, message?: string) => void} by.open
   * @param {(q: string, platform: string) => void} by.asked
   * @param {HTMLElement[]} buttons beside the search
   */
  constructor(feed, by, buttons) {
    this.feed = feed;
    this.by = by;
    this.list = new VirtualList({
      label: t('conversations'),
      id: idOf,
      key: (line) => keyOfLine(line, this.#query),
      row: (line) => this.#row(line),
      open: (line) => this.#open(line),
      scrolled: () => this.#more(),
    });
    this.search = h('input', { type: 'search', placeholder: t('searchAll'), 'aria-label': t('searchAll'), title: '/', oninput: () => this.#typed(), onkeydown: (/** @type {KeyboardEvent} */ event) => this.#searchKey(event) });
    this.platform = h('select', { 'aria-label': t('platform'), onchange: () => this.#ask() }, h('option', { value: '' }, t('anyPlatform')));
    this.unreadOnly = h('button', { class: 'plain', 'aria-pressed': 'false', onclick: () => this.#toggleUnread() }, t('unreadOnly'));
    this.filters = h('div', { class: 'filters' }, this.platform, this.unreadOnly);
    this.state = h('div', { class: 'list-state' });
    this.element = h(
      'aside',
      { class: 'sidebar', 'aria-label': t('conversations') },
      h('search', { class: 'sidebar-head' }, h('div', { class: 'search' }, icon('search'), this.search), ...buttons, this.filters),
      h('div', { class: 'list-pane' }, this.list.element, this.state),
    );
    const draw = () => this.#draw();
    this.ends = [feed.conversations.changed.follow(draw), drafts.watch(draw), feed.adapters.follow(draw)];
  }

  close() {
    clearTimeout(this.#typing);
    for (const end of this.ends) end();
    this.#stopSearch();
    this.list.close();
  }

  /**
   * Searches, as the address says.
   * @param {string} q
   * @param {string} platform
   */
  find(q, platform) {
    if (q === this.#query && platform === this.#platform) return;
    this.search.value = q;
    this.#offer(platform);
    this.platform.value = platform;
    this.#ask();
  }

  /** Marks the open conversation. @param {{platform: string, conversation: string} | undefined} entry */
  mark(entry) {
    this.list.active = entry ? conversationId(entry) : '';
    // The one that was open before is shown no longer where it is read.
    if (this.#isUnreadOnly) this.#draw();
    this.list.reveal();
  }

  /**
   * The conversation before or after another one.
   * @param {{platform: string, conversation: string} | undefined} from
   * @param {number} by
   */
  neighbour(from, by) {
    const entries = this.#lines.flatMap((line) => ('entry' in line ? [line.entry] : []));
    const at = entries.findIndex((entry) => from && conversationId(entry) === conversationId(from));
    return at < 0 ? entries[0] : entries[at + by];
  }

  /** The first conversation but one that has unread messages and is not muted. @param {{platform: string, conversation: string} | undefined} but */
  unread(but) {
    const entries = this.#lines.flatMap((line) => ('entry' in line ? [line.entry] : []));
    return entries.find((entry) => entry.unread && !entry.muted && !(but && conversationId(entry) === conversationId(but)));
  }

  #toggleUnread() {
    this.#isUnreadOnly = !this.#isUnreadOnly;
    this.unreadOnly.setAttribute('aria-pressed', String(this.#isUnreadOnly));
    this.list.toTop();
    this.#draw();
  }

  #typed() {
    this.#opensFirst = false;
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.#ask(), TYPING_PAUSE);
  }

  #ask() {
    clearTimeout(this.#typing);
    const q = this.search.value.trim();
    const platform = this.platform.value;
    if (q === this.#query && platform === this.#platform) return;
    this.#query = q;
    this.#platform = platform;
    this.#stopSearch();
    if (q) {
      this.#hits = new MessageList(this.feed, { ...EVERYTHING, q, platform });
      this.#endHits = this.#hits.changed.watch(() => this.#draw());
    }
    this.by.asked(q, platform);
    this.list.toTop();
    this.#draw();
  }

  #stopSearch() {
    this.#endHits?.();
    this.#hits?.close();
    this.#hits = undefined;
  }

  #more() {
    if (this.#hits && this.list.range.last + LOAD_AHEAD > this.#lines.length) void this.#hits.older();
  }

  #draw() {
    const { items, isLoaded } = this.feed.conversations;
    const q = this.#query.toLowerCase();
    const isWanted = (/** @type {Conversation} */ entry) =>
      (!this.#platform || entry.platform === this.#platform) &&
      (!this.#isUnreadOnly || q || entry.unread || conversationId(entry) === this.list.active) &&
      (!q || nameOfConversation(entry).toLowerCase().includes(q) || entry.conversation.toLowerCase().includes(q));
    /** @type {Line[]} */
    const entries = items.filter(isWanted).map((entry) => ({ entry }));
    /** @type {Line[]} */
    const hits = (this.#hits?.rows ?? []).map((hit) => ({ hit }));
    /** @type {Line[]} */
    const heading = entries.length > 0 && hits.length > 0 ? [{ heading: 'messagesFound' }] : [];
    this.#lines = q ? [...entries.slice(0, MAX_CONVERSATIONS), ...heading, ...hits] : entries;
    this.#offer(this.#platform);
    this.filters.hidden = items.length === 0;
    this.list.show(this.#lines);
    const isBusy = !isLoaded || this.#hits?.isLoading;
    if (this.#opensFirst && !isBusy) this.#openFirst();
    fill(this.state, this.#hits?.error ? this.#failed(this.#hits, this.#hits.error) : this.#lines.length > 0 ? null : isBusy ? h('div', { class: 'muted', role: 'status' }, t(q ? 'searching' : 'loading')) : this.#nothing());
    this.state.classList.toggle('alone', this.#lines.length === 0);
  }

  /**
   * @param {MessageList} hits
   * @param {unknown} error
   */
  #failed(hits, error) {
    return h('div', { class: 'problem', role: 'alert' }, errorText(error), ' ', h('button', { onclick: () => void hits.older() }, t('tryAgain')));
  }

  #nothing() {
    if (this.#isUnreadOnly && !this.#query) return h('div', { class: 'muted', role: 'status' }, t('nothingUnread'));
    if (this.#query || this.#platform) return h('div', { class: 'muted' }, h('p', null, t('noneFound')), ...this.#begun());
    return h('div', { class: 'none' }, icon('messages'), h('h2', null, t('noMessages')), h('p', { class: 'muted' }, t('noMessagesText')), h('a', { class: 'button primary', href: '#platforms' }, t('connectOne')));
  }

  /** Links that begin a conversation with the ID that is looked for. */
  #begun() {
    const q = this.#query;
    const ids = /^\d+$/.test(q) ? [`group_${q}`, `private_${q}`] : /^(group|private|channel)_./.test(q) ? [q] : [];
    const there = [...new Set(this.feed.adapters.value?.map(({ platform }) => platform))];
    return there.flatMap((platform) => ids.map((conversation) => h('a', { class: 'button', href: link('messages', { platform, conversation }) }, `${platformName(platform)} · ${conversation}`)));
  }

  /** Offers the platforms there are to filter by; none is needed for a single one. @param {string} chosen */
  #offer(chosen) {
    const there = [...this.feed.conversations.items, ...(this.feed.adapters.value ?? [])].map(({ platform }) => platform);
    const names = new Set([...there, chosen]);
    names.delete('');
    const known = new Set([...this.platform.options].map(({ value }) => value));
    for (const name of names) if (!known.has(name)) this.platform.append(h('option', { value: name }, platformName(name)));
    this.platform.hidden = this.platform.options.length < 3 && !chosen;
  }

  /** A row; with the other button it opens what can be done with its conversation. @param {Line} line */
  #row(line) {
    const row = rowOf(line, this.#query);
    if ('entry' in line) {
      row.addEventListener('contextmenu', (event) => {
        event.preventDefault();
        openConversationMenu(row, line.entry, this.feed.conversations);
      });
    }
    return row;
  }

  /** @param {Line} line */
  #open(line) {
    if ('entry' in line) this.by.open(line.entry);
    else if ('hit' in line) this.by.open({ platform: line.hit.platform ?? 'local', conversation: line.hit.recipient }, line.hit.id);
  }

  /** Opens the first line, as soon as there is one. */
  #openFirst() {
    const first = this.#lines.find((line) => !('heading' in line));
    this.#opensFirst = !first;
    if (first) this.#open(first);
  }

  /** @param {KeyboardEvent} event */
  #searchKey(event) {
    if (isComposing(event)) return;
    if (event.key === 'Escape' && this.search.value) {
      this.search.value = '';
      this.#ask();
      event.stopPropagation();
    } else if (event.key === 'ArrowDown') {
      event.preventDefault();
      this.list.element.focus();
    } else if (event.key === 'Enter') {
      event.preventDefault();
      // The list may still be that of what was written before.
      this.#ask();
      this.#openFirst();
    }
  }
}
