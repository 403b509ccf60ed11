import { Refused, ask, changeConversation, conversationPath, isLocked, withQuery } from './api.js';
import { withStatus } from './changes.js';
import { errorText } from './errors.js';
import { keyOf, learnName } from './names.js';
import { Signal } from './signal.js';
import { toast } from './toast.js';

/** @typedef {import('./types.js').Conversation} Conversation */
/** @typedef {import('./types.js').Message} Message */

/** Conversations asked for at once. */
const PAGE = 200;

/** Pauses after a request that failed, in milliseconds. */
const SHORTEST_PAUSE = 1000;
const LONGEST_PAUSE = 15_000;

/** For how long a platform counts as one that is used, in seconds. */
const RECENT_SECONDS = 7 * 86_400;

/** How long loading waits at most for the page to be idle, in milliseconds. */
const MAX_IDLE_WAIT = 300;

/** All conversations with their unread counts, kept as they change; pinned ones first, then the latest. */
export class Conversations {
  /** @type {Conversation[]} */
  items = [];
  isLoaded = false;
  /** Unread messages in those that are not muted. */
  unread = 0;
  mentions = 0;
  /** Conversations that stay unread until they are opened again. @type {Set<string>} */
  keptUnread = new Set();
  /** Told after each change. */
  changed = new Signal(0);

  /** @type {Map<string, Conversation>} */
  #known = new Map();
  /** Counts the loads, so that one that is overtaken stops. */
  #loads = 0;

  /** The conversation that is on the screen to its end: what comes there is seen as it comes. */
  #seen = '';

  /** @param {import('./feed.js').Feed} feed */
  constructor(feed) {
    feed.batch.watch((batch) => this.#take(batch));
    feed.lapse.watch(() => void this.load(true));
  }

  /**
   * @param {string | undefined} platform
   * @param {string} conversation
   */
  get(platform, conversation) {
    return this.#known.get(keyOf(platform, conversation));
  }

  /**
   * The same as the server has it now: events tell of a conversation at most once a second.
   * @param {string} platform
   * @param {string} conversation
   */
  async askFor(platform, conversation) {
    const told = await askFor(platform, conversation).catch(() => undefined);
    if (told) {
      this.#merge(told);
      this.#sort();
    }
    return this.get(platform, conversation);
  }

  /**
   * Loads all of them; resolves after the first page, which is enough to show.
   * @param {boolean} [isAnew] whether those that are known may be of another store
   */
  async load(isAnew = false) {
    this.#loads += 1;
    const load = this.#loads;
    const first = await this.#page(load);
    if (load !== this.#loads || !first) return;
    if (isAnew) this.#known.clear();
    void this.#rest(first, load);
  }

  /**
   * @param {Conversation[]} first
   * @param {number} load
   */
  async #rest(first, load) {
    /** @type {Conversation[] | undefined} */
    let page = first;
    let before = Infinity;
    while (page) {
      for (const entry of page) this.#merge(entry);
      this.isLoaded = true;
      this.#sort();
      const last = page.at(-1)?.last_seq ?? 0;
      // A server without pages gives all of them each time.
      if (page.length < PAGE || last >= before) return;
      before = last;
      await isIdle();
      page = await this.#page(load, last);
      if (load !== this.#loads) return;
    }
  }

  /**
   * Asks until there is an answer, or a later load.
   * @param {number} load
   * @param {number} [before]
   * @returns {Promise<Conversation[] | undefined>}
   */
  async #page(load, before) {
    for (let pause = SHORTEST_PAUSE; load === this.#loads; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      const told = await ask(withQuery('api/conversations', { limit: PAGE, before })).catch(() => undefined);
      if (told || isLocked.value) return told?.conversations;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    return undefined;
  }

  /**
   * Platforms that an account of ours had a message of in the last days; the server's own places are none. One that was
   * never connected, such as a mistyped name, has no account.
   */
  recentPlatforms() {
    const since = Date.now() / 1000 - RECENT_SECONDS;
    const recent = this.items.filter(
      ({ platform, account, last_at: at }) => at > since && account && platform !== 'local' && platform !== 'loopback',
    );
    return [...new Set(recent.map(({ platform }) => platform))];
  }

  /** Counts nothing as unread of the conversation that is on the screen to its end. @param {string} key */
  see(key) {
    if (key === this.#seen) return;
    this.#seen = key;
    this.#sort();
  }

  /** Reads a conversation up to a message or `seq`, or all of it. @param {Conversation} entry @param {string | number} [to] */
  read(entry, to = 'latest') {
    const isAll = to === 'latest' || to === entry.last_seq;
    this.#set(entry, { read_to: to }, isAll ? { unread: 0, mentions: 0 } : {});
  }

  /** Counts a message and those after it as unread. @param {Conversation} entry @param {string} id */
  unreadFrom(entry, id) {
    this.keptUnread.add(keyOf(entry.platform, entry.conversation));
    this.#set(entry, { unread_from: id }, {});
  }

  /**
   * @param {Conversation} entry
   * @param {{muted?: boolean, pinned?: boolean}} change
   */
  change(entry, change) {
    this.#set(entry, change, change);
  }

  /**
   * Shows a change at once, and what the server makes of it.
   * @param {Conversation} entry
   * @param {import('./api.js').ConversationChange} change
   * @param {Partial<Conversation>} shown
   */
  #set(entry, change, shown) {
    const before = this.#known.get(keyOf(entry.platform, entry.conversation)) ?? entry;
    this.#put({ ...before, ...shown });
    this.#sort();
    changeConversation(entry, change).then(
      (now) => this.#merge(now),
      (error) => {
        toast(errorText(error), 'bad');
        const now = this.get(entry.platform, entry.conversation);
        const { unread = 0, mentions = 0, muted = false, pinned = false } = before;
        if (now) this.#put({ ...now, ...('unread' in shown ? { unread, mentions } : { muted, pinned }) });
      },
    ).then(() => this.#sort());
  }

  /** @param {import('./feed.js').Batch} batch */
  #take(batch) {
    for (const event of batch) {
      if ('message' in event) this.#arrived(event.message, event.seq);
      else if ('conversation' in event) this.#merge(event.conversation);
      else if ('update' in event) this.#last(event.update, event.update.id, () => event.update);
      else if ('change' in event) this.#last({ ...event.change, recipient: event.change.conversation }, event.change.id, (message) => withStatus(message, event.change));
      else if ('removed' in event) this.#removed(event.removed);
    }
    this.#sort();
  }

  /**
   * Counts a message, until the server tells the count itself.
   * @param {Message} message
   * @param {number} seq
   */
  #arrived(message, seq) {
    const platform = message.platform ?? 'local';
    const known = this.get(platform, message.recipient);
    if (known && known.last_seq >= seq) return;
    const isInbound = message.direction === 'Inbound';
    const isMention = message.segments?.some((segment) => segment.type === 'mention' && segment.me);
    const counts = isInbound
      ? { unread: (known?.unread ?? 0) + 1, mentions: (known?.mentions ?? 0) + (isMention ? 1 : 0) }
      : { unread: 0, mentions: 0 };
    this.#put({
      ...(known ?? { platform, conversation: message.recipient }),
      ...(message.conversation_name ? { name: message.conversation_name } : {}),
      ...counts,
      last_message: message,
      last_seq: seq,
      last_at: message.created_at,
    });
  }

  /**
   * Changes the last message of a conversation, where it is this one.
   * @param {{platform?: string, recipient: string}} at
   * @param {string} id
   * @param {(message: Message) => Message} change
   */
  #last({ platform = 'local', recipient }, id, change) {
    const known = this.get(platform, recipient);
    if (known?.last_message?.id === id) this.#put({ ...known, last_message: change(known.last_message) });
  }

  /** @param {string} id */
  #removed(id) {
    const entry = this.items.find((known) => known.last_message?.id === id);
    if (!entry) return;
    const { platform, conversation } = entry;
    askFor(platform, conversation).then((now) => {
      if (now) this.#put(now);
      else this.#known.delete(keyOf(platform, conversation));
      this.#sort();
    }, () => {});
  }

  /** Takes an entry in, unless a newer one is known. @param {Conversation} entry */
  #merge(entry) {
    const known = this.get(entry.platform, entry.conversation);
    if (known && known.last_seq > entry.last_seq) {
      learnName(known.platform, known.conversation, known.name);
      return;
    }
    const isSame = known?.last_seq === entry.last_seq;
    this.#put({ ...(isSame && known ? known : {}), ...entry, ...flags(entry) });
  }

  /** @param {Conversation} entry */
  #put(entry) {
    learnName(entry.platform, entry.conversation, entry.name);
    this.#known.set(keyOf(entry.platform, entry.conversation), entry);
  }

  #sort() {
    const seen = this.#known.get(this.#seen);
    const shown = [...this.#known.values()].map((entry) => (entry === seen ? { ...entry, unread: 0, mentions: 0 } : entry));
    this.items = shown.sort((a, b) => Number(b.pinned ?? false) - Number(a.pinned ?? false) || b.last_seq - a.last_seq);
    const counted = this.items.filter((entry) => !entry.muted);
    this.unread = counted.reduce((sum, entry) => sum + (entry.unread ?? 0), 0);
    this.mentions = this.items.reduce((sum, entry) => sum + (entry.mentions ?? 0), 0);
    this.changed.value += 1;
  }
}

/** Resolves once the page has nothing to draw, or after a while: what is seen comes first. */
const isIdle = () => new Promise((resolve) => 'requestIdleCallback' in globalThis ? requestIdleCallback(resolve, { timeout: MAX_IDLE_WAIT }) : setTimeout(resolve));

/**
 * Asks for one conversation; one that has no messages is none, and no error.
 * @param {string} platform
 * @param {string} conversation
 * @returns {Promise<Conversation | undefined>}
 */
async function askFor(platform, conversation) {
  try {
    return await ask(conversationPath(platform, conversation));
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return undefined;
    throw error;
  }
}

/** Flags that are left out of an entry where they are off. @param {Conversation} entry */
const flags = ({ muted = false, pinned = false }) => ({ muted, pinned });
