import { avatar } from '../avatar.js';
import { lineOf, segmentsOf } from '../content.js';
import { fill, h, isComposing } from '../dom.js';
import { errorText } from '../errors.js';
import { author, machineTime, number, platformName, shortTime } from '../format.js';
import { hitsIn, withHits } from '../hits.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { EVERYTHING, MessageList } from '../list.js';
import { conversationName, isPrivate, keyOf, nameOfConversation } from '../names.js';
import { link } from '../router.js';
import { VirtualList } from '../virtual.js';
import { openConversationMenu } from './conversation-menu.js';
import { draftOf, drafts } from './drafts.js';
import { tick } from './row.js';

/** @typedef {import('../types.js').Conversation} Conversation */
/** @typedef {import('../types.js').Message} Message */
/** @typedef {{entry: Conversation} | {hit: Message} | {heading: import('../i18n.js').Word}} Line */

/** How long typing may rest before messages are searched, in milliseconds. */
const TYPING = 200;

/** Conversations found that are shown above found messages. */
const FOUND = 30;

/** Characters of a found message in which its hits are looked for. */
const MUCH = 20_000;

/** Rows before the end at which more found messages are loaded. */
const AHEAD = 30;

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
      key: (line) => this.#key(line),
      row: (line) => this.#row(line),
      open: (line) => this.#open(line),
      scrolled: () => this.#more(),
    });
    this.search = h('input', { type: 'search', placeholder: t('searchAll'), 'aria-label': t('searchAll'), title: '/', oninput: () => this.#typed(), onkeydown: (/** @type {KeyboardEvent} */ event) => this.#searchKey(event) });
    this.platform = h('select', { 'aria-label': t('platform'), onchange: () => this.#ask() }, h('option', { value: '' }, t('anyPlatform')));
    this.state = h('div', { class: 'list-state' });
    this.element = h(
      'aside',
      { class: 'sidebar', 'aria-label': t('conversations') },
      h('search', { class: 'sidebar-head' }, h('div', { class: 'search' }, icon('search'), this.search), ...buttons, this.platform),
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

  #typed() {
    this.#opensFirst = false;
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.#ask(), TYPING);
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
    if (this.#hits && this.list.range.last + AHEAD > this.#lines.length) void this.#hits.older();
  }

  #draw() {
    const { items, isLoaded } = this.feed.conversations;
    const q = this.#query.toLowerCase();
    const isWanted = (/** @type {Conversation} */ entry) =>
      (!this.#platform || entry.platform === this.#platform) &&
      (!q || nameOfConversation(entry).toLowerCase().includes(q) || entry.conversation.toLowerCase().includes(q));
    /** @type {Line[]} */
    const entries = items.filter(isWanted).map((entry) => ({ entry }));
    /** @type {Line[]} */
    const hits = (this.#hits?.rows ?? []).map((hit) => ({ hit }));
    /** @type {Line[]} */
    const heading = entries.length > 0 && hits.length > 0 ? [{ heading: 'messagesFound' }] : [];
    this.#lines = q ? [...entries.slice(0, FOUND), ...heading, ...hits] : entries;
    this.#offer(this.#platform);
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

  /** @param {Line} line */
  #key(line) {
    if ('heading' in line) return line.heading;
    if ('hit' in line) return `${line.hit.id} ${conversationName(line.hit)} ${this.#query}`;
    const { entry } = line;
    const { last_message: last } = entry;
    return JSON.stringify([idOf(line), this.#query, nameOfConversation(entry), last?.id, last?.status, last?.edited_at, last?.recalled_at, entry.last_seq, entry.unread, entry.mentions, entry.muted, entry.pinned, draftOf(entry)?.text, new Date().getDate()]);
  }
}

/** @param {{platform: string, conversation: string}} entry */
const conversationId = ({ platform, conversation }) => encodeURIComponent(keyOf(platform, conversation));

/** @param {Line} line */
function idOf(line) {
  if ('heading' in line) return line.heading;
  return 'hit' in line ? line.hit.id : conversationId(line.entry);
}

/**
 * @param {Line} line
 * @param {string} q
 */
function rowOf(line, q) {
  if ('heading' in line) return h('div', { class: 'row heading' }, t(line.heading));
  return 'hit' in line ? hitRow(line.hit, q) : conversationRow(line.entry, q);
}

/**
 * @param {Conversation} entry
 * @param {string} q
 */
function conversationRow(entry, q) {
  const { last_message: last, muted, pinned, unread = 0, mentions = 0 } = entry;
  const name = nameOfConversation(entry);
  return h(
    'div',
    { class: `row conversation${muted ? ' muted-conversation' : ''}${unread > 0 ? ' unread' : ''}` },
    avatar(entry.conversation, name, platformName(entry.platform)),
    h(
      'div',
      { class: 'head' },
      h('span', { class: 'author' }, ...withHits(name, q)),
      muted ? h('span', { class: 'flag', role: 'img', 'aria-label': t('isMuted') }, icon('muted')) : null,
      pinned ? h('span', { class: 'flag', role: 'img', 'aria-label': t('isPinned') }, icon('pin')) : null,
      last && last.direction !== 'Inbound' ? tick(last) : null,
      h('time', { datetime: machineTime(entry.last_at) }, shortTime(entry.last_at)),
    ),
    h(
      'div',
      { class: 'body' },
      lastLine(entry),
      mentions > 0 ? h('span', { class: 'badge mention-badge', 'aria-label': t('mentionsOf', { n: mentions }), role: 'img' }, '@') : null,
      unread > 0 ? h('span', { class: 'badge', 'aria-label': t('unreadOf', { n: unread }), role: 'img' }, unread > 999 ? '999+' : number(unread)) : null,
    ),
  );
}

/** @param {Conversation} entry */
function lastLine(entry) {
  const draft = draftOf(entry)?.text;
  if (draft) return h('span', { class: 'text' }, h('span', { class: 'draft' }, t('draft')), ' ', draft.slice(0, 100));
  const { last_message: last } = entry;
  if (!last) return h('span', { class: 'text' }, platformName(entry.platform));
  const isOwn = last.direction !== 'Inbound';
  const who = isOwn ? t('you') : isPrivate(entry) ? '' : author(last);
  const said = last.recalled_at ? t('recalledMessage') : lineOf(last);
  return h('span', { class: 'text' }, who ? h('span', { class: 'who' }, `${who}: `) : null, said);
}

/**
 * @param {Message} message
 * @param {string} q
 */
function hitRow(message, q) {
  const name = conversationName(message);
  const line = lineOf(message, MUCH);
  // A picture's name is searched, too, and shown nowhere else.
  const names = segmentsOf(message).flatMap(({ name: file }) => (file && !line.includes(file) && hitsIn(file, q).length > 0 ? [file] : []));
  return h(
    'div',
    { class: 'row conversation' },
    avatar(message.recipient, name, platformName(message.platform)),
    h('div', { class: 'head' }, h('span', { class: 'author' }, name), h('time', { datetime: machineTime(message.created_at) }, shortTime(message.created_at))),
    h('div', { class: 'body' }, h('span', { class: 'text' }, h('span', { class: 'who' }, ...withHits(author(message), q), ': '), ...withHits([line, ...names].join(' · '), q))),
  );
}
