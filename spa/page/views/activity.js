import { ask } from '../api.js';
import { fill, h } from '../dom.js';
import { errorText } from '../errors.js';
import { platformName } from '../format.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { EVERYTHING, MessageList } from '../list.js';
import { messageRow, rowKey } from '../message.js';
import { conversationName } from '../names.js';
import { remember } from '../router.js';
import { VirtualList } from '../virtual.js';
import { details } from './details.js';

/** @typedef {import('../types.js').Query} Query */
/** @typedef {import('../types.js').Message} Message */

/** How long typing may rest before it is searched for, in milliseconds. */
const TYPING_PAUSE = 200;

/** Rows before the end at which older messages are loaded. */
const LOAD_AHEAD = 30;

/**
 * @param {import('../feed.js').Feed} feed
 * @param {URLSearchParams} parameters
 * @returns {import('../types.js').View}
 */
export function activity(feed, parameters) {
  const view = new ActivityView(feed, parameters);
  return { element: view.element, close: () => view.close() };
}

class ActivityView {
  /** Whether the person has paused by the button. */
  #isHeld = false;
  /** @type {MessageList} */
  #list;
  /** @type {(() => void) | undefined} */
  #end;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #typing;
  #opened = '';

  /**
   * @param {import('../feed.js').Feed} feed
   * @param {URLSearchParams} parameters
   */
  constructor(feed, parameters) {
    this.feed = feed;
    this.query = { ...EVERYTHING };
    for (const name of /** @type {(keyof Query)[]} */ (Object.keys(EVERYTHING))) {
      this.query[name] = parameters.get(name) ?? '';
    }
    this.rows = new VirtualList({
      label: t('activity'),
      id: (/** @type {Message} */ message) => message.id,
      key: (message) => `${rowKey(message)} ${this.query.q}`,
      row: (message) => messageRow(message, this.query.q),
      open: (message) => void this.#open(message.id, true),
      scrolled: () => this.#scrolled(),
    });
    this.news = h('button', { class: 'news', hidden: true, onclick: () => this.#showNew() });
    this.newsWords = h('span', { class: 'unseen', role: 'status' });
    this.state = h('div', { class: 'list-state' });
    this.pauseButton = h('button', { class: 'pause', onclick: () => this.#hold(!this.#isHeld) });
    this.side = h('aside', { class: 'details', hidden: true, 'aria-label': t('details') });
    this.#tellPause();
    this.filters = filters(this.query, (query) => this.#ask(query), (query) => this.#typed(query));
    const pane = h('div', { class: 'list-pane' }, this.news, this.rows.element, this.state);
    this.element = h(
      'div',
      { class: 'activity-page' },
      h('h1', { class: 'unseen' }, t('activity')),
      h('div', { class: 'toolbar' }, this.filters.element, this.pauseButton),
      this.newsWords,
      h('div', { class: 'panes' }, pane, this.side),
    );
    this.#list = this.#newList();
    const wanted = parameters.get('message');
    if (wanted) void this.#open(wanted, false);
  }

  close() {
    clearTimeout(this.#typing);
    this.#end?.();
    this.#list.close();
    this.rows.close();
    this.#closeDetails();
  }

  #newList() {
    const list = new MessageList(this.feed, this.query);
    this.#end = list.changed.follow(() => this.#draw(list));
    return list;
  }

  /** @param {Query} query */
  #typed(query) {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.#ask(query), TYPING_PAUSE);
  }

  /** @param {Query} query */
  #ask(query) {
    clearTimeout(this.#typing);
    if (JSON.stringify(query) === JSON.stringify(this.query)) return;
    this.query = query;
    remember('activity', query);
    this.#end?.();
    this.#list.close();
    this.#list = this.#newList();
    this.rows.toTop();
    this.#scrolled();
  }

  /** @param {MessageList} list */
  #draw(list) {
    this.rows.show(list.rows);
    const n = list.waiting.length;
    this.news.hidden = n === 0;
    fill(this.news, icon('up'), t('newMessages', { n }));
    this.newsWords.textContent = n > 0 ? t('newMessages', { n }) : '';
    fill(this.state, this.#stateOf(list));
    this.state.classList.toggle('alone', list.rows.length === 0);
    void list.refresh(this.rows.range.first, this.rows.range.last);
  }

  /** The text below the rows. @param {MessageList} list */
  #stateOf(list) {
    const button = (/** @type {import('../i18n.js').Word} */ word) => h('button', { onclick: () => void list.older() }, t(word));
    if (list.error) {
      return h('div', { class: 'problem', role: 'alert' }, errorText(list.error), ' ', button('tryAgain'));
    }
    if (list.isLoading) return h('div', { class: 'muted', role: 'status' }, t(this.query.q ? 'searching' : 'loading'));
    if (list.isStopped) return h('div', null, t('searchStopped'), ' ', button('searchOn'));
    if (list.rows.length > 0 || !list.isComplete) return null;
    const isFiltered = Object.values(this.query).some(Boolean);
    if (!isFiltered) {
      return h('div', { class: 'none' }, icon('activity'), h('h2', null, t('noMessages')), h('p', { class: 'muted' }, t('noMessagesText')), h('a', { class: 'button primary', href: '#platforms' }, t('connectOne')), ' ', h('a', { class: 'button', href: '#send' }, t('send')));
    }
    const clear = () => {
      this.filters.clear();
      this.#ask({ ...EVERYTHING });
    };
    return h('div', { class: 'none' }, icon('search'), h('h2', null, t('noneFound')), h('button', { onclick: clear }, t('clearFilters')));
  }

  /** New ones come in only at the top; who has scrolled away is reading. */
  #scrolled() {
    this.#list.pause(this.#isHeld || !this.rows.isAtTop);
    const { first, last } = this.rows.range;
    if (last + LOAD_AHEAD > this.#list.rows.length) void this.#list.older();
    void this.#list.refresh(first, last);
  }

  #showNew() {
    this.#hold(false);
    this.rows.toTop();
    this.#list.pause(false);
    this.rows.element.focus();
  }

  /** @param {boolean} isHeld */
  #hold(isHeld) {
    this.#isHeld = isHeld;
    this.#tellPause();
    this.#list.pause(isHeld || !this.rows.isAtTop);
  }

  #tellPause() {
    fill(this.pauseButton, icon(this.#isHeld ? 'play' : 'pause'), h('span', { class: 'words' }, t(this.#isHeld ? 'goOn' : 'pause')));
    this.pauseButton.setAttribute('aria-pressed', String(this.#isHeld));
    this.pauseButton.title = t(this.#isHeld ? 'goOnLong' : 'pauseLong');
  }

  /** @type {ReturnType<typeof details> | undefined} */
  #details;

  /**
   * @param {string} id
   * @param {boolean} byHand whether to go to the details at once
   */
  async #open(id, byHand) {
    this.#closeDetails();
    this.#opened = id;
    this.rows.active = id;
    this.rows.show(this.#list.rows);
    const made = details(this.feed, id, this.#list.get(id), {
      told: (message) => this.#list.update(message),
      gone: () => {
        this.#list.remove(id);
        this.#shut();
      },
      close: () => this.#shut(),
    });
    this.#details = made;
    fill(this.side, made.element);
    this.side.hidden = false;
    this.element.classList.add('opened');
    if (byHand) made.focus();
    // It may be old by now: look.
    await made.look();
  }

  #closeDetails() {
    this.#details?.close();
    this.#details = undefined;
  }

  #shut() {
    this.#closeDetails();
    this.side.hidden = true;
    this.element.classList.remove('opened');
    this.rows.active = this.#opened;
    this.rows.element.focus();
  }
}

/**
 * The search and the filters.
 * @param {Query} query
 * @param {(query: Query) => void} changed
 * @param {(query: Query) => void} typed
 */
function filters(query, changed, typed) {
  const now = () => ({
    q: search.value.trim(),
    platform: platform.value,
    conversation: conversation.value.trim(),
    status: status.value,
    message_type: type.value,
    sender: sender.value.trim(),
    since: seconds(since.value),
    until: seconds(until.value),
  });
  const choose = () => {
    count();
    changed(now());
  };
  const search = h('input', { type: 'search', placeholder: t('search'), 'aria-label': t('search'), title: 'Ctrl+K', value: query.q, oninput: () => typed(now()) });
  const platform = choice(t('platform'), t('anyPlatform'), query.platform ? [query.platform] : [], platformName, query.platform, choose);
  const status = choice(t('status'), t('anyStatus'), ['Pending', 'Sending', 'Sent', 'Failed', 'Canceled'], (name) => t(/** @type {any} */ (name)), query.status, choose);
  const type = choice(t('type'), t('anyType'), ['Text', 'Image', 'Audio', 'Video', 'File'], (name) => t(/** @type {any} */ (name)), query.message_type, choose);
  const known = h('datalist', { id: 'known-conversations' });
  const conversation = h('input', { list: 'known-conversations', placeholder: t('conversation'), 'aria-label': t('conversation'), value: query.conversation, autocomplete: 'off', onchange: choose });
  const sender = h('input', { placeholder: t('senderId'), 'aria-label': t('senderId'), value: query.sender, autocomplete: 'off', onchange: choose });
  const since = h('input', { type: 'datetime-local', value: localTime(query.since), onchange: choose });
  const until = h('input', { type: 'datetime-local', value: localTime(query.until), onchange: choose });
  const all = [platform, conversation, status, type, sender, since, until];
  void suggest(platform, query.platform, known);

  const mark = h('span', { class: 'badge', hidden: true });
  const usual = h('div', { class: 'fields' }, platform, conversation, status, type);
  const more = h('div', { class: 'fields more-fields' }, sender, h('label', null, t('from'), since), h('label', null, t('until'), until));
  const element = h('search', { id: 'filters' }, h('div', { class: 'search' }, icon('search'), search));
  const toggle = h('button', { class: 'filter-toggle', 'aria-expanded': 'false', 'aria-controls': 'filters', 'aria-label': t('filters'), onclick: () => {
    const isOpen = element.classList.toggle('open');
    toggle.setAttribute('aria-expanded', String(isOpen));
  } }, icon('filter'), h('span', null, t('filters')), mark);
  element.append(usual, toggle, more, known);
  function count() {
    const n = all.filter((field) => field.value).length;
    mark.hidden = n === 0;
    mark.textContent = String(n);
  }
  count();
  const clear = () => {
    for (const field of [search, ...all]) field.value = '';
    count();
  };
  return { element, clear };
}

/** Unix seconds of a time in a field. @param {string} value */
const seconds = (value) => (value ? String(Math.floor(new Date(value).getTime() / 1000)) : '');

/** The same the other way round, in local time as the field wants it. @param {string} value */
function localTime(value) {
  const date = new Date(Number(value) * 1000);
  if (!value || Number.isNaN(date.getTime())) return '';
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/**
 * @param {string} label
 * @param {string} any what stands for no choice
 * @param {string[]} names
 * @param {(name: string) => string} word
 * @param {string} chosen
 * @param {() => void} changed
 */
function choice(label, any, names, word, chosen, changed) {
  const options = names.map((name) => h('option', { value: name }, word(name)));
  return h('select', { 'aria-label': label, onchange: changed, value: chosen }, h('option', { value: '' }, any), ...options);
}

/**
 * Offers the platforms and conversations that are known.
 * @param {HTMLSelectElement} platform
 * @param {string} chosen
 * @param {HTMLDataListElement} known
 */
async function suggest(platform, chosen, known) {
  const [adapters, told] = await Promise.all([ask('api/platforms'), ask('api/conversations')]).catch(() => [undefined, undefined]);
  if (!adapters || !told) return;
  /** @type {import('../types.js').Conversation[]} */
  const conversations = told.conversations;
  const names = new Set([...adapters.platforms, ...conversations].map((one) => one.platform || 'local'));
  names.add(chosen);
  names.delete('');
  const options = [...names].sort().map((name) => h('option', { value: name }, platformName(name)));
  const now = platform.value || chosen;
  platform.append(...options.filter((option) => ![...platform.options].some((there) => there.value === option.value)));
  platform.value = now;
  fill(known, ...conversations.slice(0, 500).map((one) => h('option', { value: one.conversation, label: conversationName({ ...one, recipient: one.conversation, conversation_name: one.name }) })));
}
