import { getMessage } from '../api.js';
import { outgoing } from '../chat/outgoing.js';
import { Pane } from '../chat/pane.js';
import { Sidebar } from '../chat/sidebar.js';
import { fill, h } from '../dom.js';
import { openHelp } from '../help.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { here, link } from '../router.js';

/** @typedef {{platform: string, conversation: string}} Address */

/**
 * The chat: conversations on one side, one of them on the other.
 * @param {import('../feed.js').Feed} feed
 * @param {URLSearchParams} parameters
 * @returns {import('../types.js').View}
 */
export function messages(feed, parameters) {
  const view = new ChatView(feed);
  view.go(parameters);
  return { element: view.element, close: () => view.close(), go: (now) => view.go(now) };
}

class ChatView {
  /** @type {Pane | undefined} */
  #pane;
  /** @type {Address | undefined} */
  #open;
  #q = '';
  #platform = '';
  /** Whether the list of conversations is where "back" leads. */
  #cameFromList = false;

  /** @param {import('../feed.js').Feed} feed */
  constructor(feed) {
    this.feed = feed;
    const help = h('button', { class: 'plain', 'aria-label': t('keysAndSettings'), title: `${t('keysAndSettings')} (?)`, onclick: () => openHelp() }, icon('settings'));
    this.sidebar = new Sidebar(feed, {
      open: (entry, message) => this.#visit(entry, message),
      asked: (q, platform) => this.#asked(q, platform),
    }, [help]);
    this.place = h('div', { class: 'pane-place' });
    this.element = h('div', { class: 'chat' }, h('h1', { class: 'unseen' }, t('messages')), this.sidebar.element, this.place);
    document.addEventListener('keydown', this.#key);
  }

  close() {
    document.removeEventListener('keydown', this.#key);
    this.sidebar.close();
    this.#pane?.close();
  }

  /** Follows the address. @param {URLSearchParams} parameters */
  go(parameters) {
    const get = (/** @type {string} */ name) => parameters.get(name) ?? '';
    const [platform, conversation, message] = [get('platform'), get('conversation'), get('message')];
    this.#q = get('q');
    this.#platform = conversation ? get('of') : platform;
    this.sidebar.find(this.#q, this.#platform);
    if (message && !conversation) void this.#find(message);
    else this.#show(platform && conversation ? { platform, conversation } : undefined, message);
  }

  /** Opens the conversation that a message is in. @param {string} id */
  async #find(id) {
    const message = await getMessage(id).catch(() => undefined);
    if (message) location.replace(link('messages', { platform: message.platform ?? 'local', conversation: message.recipient, message: id }));
    else this.#show(undefined, '');
  }

  /**
   * @param {Address | undefined} address
   * @param {string} message
   */
  #show(address, message) {
    this.element.classList.toggle('reading', address !== undefined);
    this.sidebar.mark(address);
    const isSame = address !== undefined && this.#open?.platform === address.platform && this.#open.conversation === address.conversation;
    this.#open = address;
    if (isSame) {
      this.#pane?.mark(this.#q);
      if (message) void this.#pane?.jump(message).then(() => this.#forgetMessage(message));
      return;
    }
    this.#pane?.close();
    this.#pane = undefined;
    if (!address) {
      fill(this.place, h('div', { class: 'none muted' }, icon('messages'), h('p', null, t('chooseConversation'))));
      return;
    }
    const entry = this.feed.conversations.get(address.platform, address.conversation) ?? { ...address, last_seq: 0, last_at: 0 };
    this.#pane = new Pane(this.feed, entry, outgoing, () => this.#back());
    this.#pane.mark(this.#q);
    fill(this.place, this.#pane.element);
    void this.#pane.open(message).then(() => message && this.#forgetMessage(message));
    // On a phone this would cover half of the conversation with a keyboard. The view may not be in the page yet.
    if (!message && matchMedia('(min-width: 761px)').matches) queueMicrotask(() => this.#pane?.composer.focus());
  }

  /** Takes a message that was shown out of the address, so that it can be gone to again. @param {string} message */
  #forgetMessage(message) {
    const { place, parameters } = here();
    if (place !== 'messages' || parameters.get('message') !== message) return;
    parameters.delete('message');
    history.replaceState(null, '', `#messages?${parameters}`);
  }

  /**
   * @param {Address} entry
   * @param {string} [message]
   */
  #visit({ platform, conversation }, message) {
    this.#cameFromList ||= this.#open === undefined;
    const address = link('messages', { platform, conversation, message, q: this.#q, of: this.#platform });
    if (address === location.hash) void this.#pane?.toNewest();
    else location.hash = address;
  }

  /** To the list, on a phone. */
  #back() {
    if (this.#cameFromList) history.back();
    else location.hash = link('messages', { q: this.#q, platform: this.#platform });
    this.#cameFromList = false;
  }

  /**
   * Keeps the search in the address.
   * @param {string} q
   * @param {string} platform
   */
  #asked(q, platform) {
    this.#q = q;
    this.#platform = platform;
    this.#pane?.mark(q);
    const address = this.#open ? link('messages', { ...this.#open, q, of: platform }) : link('messages', { q, platform });
    history.replaceState(null, '', address);
  }

  /** Goes to another conversation, by keys with Alt. @param {KeyboardEvent} event */
  #moves(event) {
    const by = event.altKey && { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const isUnread = event.altKey && event.code === 'KeyA';
    if (!by && !isUnread) return false;
    event.preventDefault();
    const next = by ? this.sidebar.neighbour(this.#open, by) : this.sidebar.unread(this.#open);
    if (next) location.replace(link('messages', { platform: next.platform, conversation: next.conversation, q: this.#q, of: this.#platform }));
    return true;
  }

  /**
   * Opens the search in the conversation: the browser's own sees only the rows that are in the page. A
   * second press is for that.
   * @param {KeyboardEvent} event
   * @param {HTMLElement} target
   */
  #finds(event, target) {
    const isFind = (event.ctrlKey || event.metaKey) && event.key === 'f';
    if (!isFind || !this.#pane || target === this.#pane.finder.field) return false;
    event.preventDefault();
    this.#pane.finder.open();
    return true;
  }

  /** @param {KeyboardEvent} event */
  #key = (event) => {
    if (this.#moves(event)) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (this.#finds(event, target)) return;
    if (event.ctrlKey || event.metaKey || event.altKey || target.matches('input, textarea, select') || document.querySelector('dialog[open], :popover-open')) return;
    const ofMessages = {
      r: () => this.#pane?.reply(),
      e: () => this.#pane?.edit(),
      '+': () => this.#pane?.react(),
    };
    /** @type {Record<string, (() => void) | undefined>} */
    const keys = {
      '/': () => this.sidebar.search.focus(),
      '?': () => openHelp(),
      ...(target.closest('.scroller') ? ofMessages : {}),
    };
    const run = keys[event.key];
    if (run) {
      event.preventDefault();
      run();
    } else if (event.key.length === 1 && event.key !== ' ' && target === document.body) {
      // Somebody writes: it goes where it was meant to.
      this.#pane?.composer.focus();
    }
  };
}
