import { getMessage } from '../api.js';
import { OutgoingQueue } from '../chat/outgoing.js';
import { Pane } from '../chat/pane.js';
import { Sidebar } from '../chat/sidebar.js';
import { fill, h } from '../dom.js';
import { openHelp } from '../help.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { link } from '../router.js';

/** @typedef {{platform: string, conversation: string}} Address */

/** Messages on their way, kept while another view is shown. */
const outgoing = new OutgoingQueue();

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
      if (message) void this.#pane?.jump(message);
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
    fill(this.place, this.#pane.element);
    void this.#pane.open(message);
    // On a phone this would cover half of the conversation with a keyboard.
    if (matchMedia('(min-width: 761px)').matches) this.#pane.composer.focus();
  }

  /**
   * @param {Address} entry
   * @param {string} [message]
   */
  #visit({ platform, conversation }, message) {
    this.#cameFromList ||= this.#open === undefined;
    location.hash = link('messages', { platform, conversation, message, q: this.#q, of: this.#platform });
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
    const address = this.#open ? link('messages', { ...this.#open, q, of: platform }) : link('messages', { q, platform });
    history.replaceState(null, '', address);
  }

  /** @param {KeyboardEvent} event */
  #key = (event) => {
    if (event.altKey && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      const next = this.sidebar.neighbour(this.#open, event.key === 'ArrowDown' ? 1 : -1);
      event.preventDefault();
      if (next) location.replace(link('messages', { platform: next.platform, conversation: next.conversation, q: this.#q, of: this.#platform }));
      return;
    }
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || target.matches('input, textarea, select') || document.querySelector('dialog[open], :popover-open')) return;
    /** @type {Record<string, (() => void) | undefined>} */
    const keys = {
      '/': () => this.sidebar.search.focus(),
      '?': () => openHelp(),
      r: () => this.#pane?.reply(),
      e: () => this.#pane?.edit(),
      '+': () => this.#pane?.react(),
    };
    const run = keys[event.key];
    if (!run) return;
    event.preventDefault();
    run();
  };
}
