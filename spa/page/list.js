import { Refused, ask, withQuery } from './api.js';
import { replace, upToDate, withStatus } from './changes.js';
import { Signal } from './signal.js';

/** @typedef {import('./types.js').Message} Message */
/** @typedef {import('./types.js').Query} Query */

/** Messages asked for at once. */
const PAGE = 100;

/** Searches in a row that may find nothing before the person is asked whether to go on. */
const MAX_SEARCHES = 10;

/** @type {Query} */
export const EVERYTHING = { q: '', platform: '', conversation: '', status: '', message_type: '', sender: '', since: '', until: '' };

/**
 * Messages that match a query, the newest first: a page of history, older ones as they are asked
 * for, and new ones as they come, each once.
 */
export class MessageList {
  /** @type {Message[]} */
  rows = [];
  /** New ones that are not shown while the user reads; the newest first. @type {Message[]} */
  waiting = [];
  isPaused = false;
  /** Whether the oldest message is here. */
  isComplete = false;
  isLoading = false;
  /** Whether a long search has stopped and can go on. */
  isStopped = false;
  /** @type {Refused | undefined} */
  error;
  /** Told after each change. */
  changed = new Signal(0);

  /** @type {Map<string, Message>} */
  #known = new Map();
  /** In which epoch of the feed a message was last told. @type {Map<string, number>} */
  #told = new Map();
  /** Messages that came before the first page was here. @type {{message: Message, seq: number}[]} */
  #early = [];
  /** Where the next older page begins: an ID or a `seq`. @type {string | number | undefined} */
  #before;
  #isBegun = false;
  #isRefreshing = false;
  #closing = new AbortController();
  /** @type {(() => void)[]} */
  #ends;

  /**
   * @param {import('./feed.js').Feed} feed
   * @param {Query} query
   * @param {number} most how many are kept; older ones are let go and loaded again when wanted
   */
  constructor(feed, query = EVERYTHING, most = 100_000) {
    this.feed = feed;
    this.query = query;
    this.most = most;
    this.#ends = [
      feed.batch.watch((batch) => this.#take(batch)),
      feed.lapse.watch(() => void this.reload()),
      feed.epoch.watch(() => this.#changed()),
    ];
    void this.older();
  }

  close() {
    this.#closing.abort();
    for (const end of this.#ends) end();
  }

  /** @param {string} id */
  get(id) {
    return this.#known.get(id);
  }

  /** Forgets everything and loads the newest page again. */
  async reload() {
    if (this.isLoading) return;
    this.rows = [];
    this.waiting = [];
    this.#known.clear();
    this.#told.clear();
    this.#early = [];
    this.#before = undefined;
    this.#isBegun = false;
    this.isComplete = false;
    await this.older();
  }

  /** Loads the next older page; a search goes on until it has found some. */
  async older() {
    if (this.isLoading || this.isComplete || this.#closing.signal.aborted) return;
    this.isLoading = true;
    this.isStopped = false;
    this.error = undefined;
    this.#changed();
    try {
      // Before that, what comes after the first page could be missed.
      if (!this.#isBegun) await this.feed.ready();
      for (let searches = 1; !(await this.#loadPage()); searches += 1) {
        this.isStopped = searches >= MAX_SEARCHES;
        if (this.isStopped) break;
      }
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      this.error = error instanceof Refused ? error : new Refused(0, String(error));
    }
    this.isLoading = false;
    this.#changed();
  }

  /** One request; whether it filled the page or reached the end. */
  async #loadPage() {
    const parameters = { ...this.query, before: this.#before, limit: PAGE };
    const { epoch } = this.feed;
    const asked = epoch.value;
    const answer = this.#ask(parameters);
    const messages = await upToDate(this.feed, answer.then((told) => told.messages));
    const { messages: page, searched_to } = await answer;
    for (const message of messages) {
      if (this.#known.has(message.id)) continue;
      this.#keep(message, asked);
      this.rows.push(message);
    }
    if (!this.#isBegun) this.#takeEarly(messages);
    this.isComplete = page.length < PAGE && searched_to === undefined;
    this.#before = searched_to ?? page.at(-1)?.id ?? this.#before;
    this.#changed();
    return messages.length > 0 || this.isComplete;
  }

  /**
   * @param {Record<string, string | number | undefined>} parameters
   * @returns {Promise<{messages: Message[], searched_to?: number}>}
   */
  #ask(parameters) {
    return ask(withQuery('api/messages', parameters), { signal: this.#closing.signal });
  }

  /**
   * Puts what came before the first page into its place. The page has no gaps: what is not in it
   * is newer than all of it, unless it came before something that is in it.
   * @param {Message[]} page
   */
  #takeEarly(page) {
    this.#isBegun = true;
    const inPage = new Set(page.map((message) => message.id));
    const oldest = this.#early.find((early) => inPage.has(early.message.id))?.seq ?? 0;
    const newer = this.#early.filter((early) => !inPage.has(early.message.id) && early.seq > oldest);
    this.#early = [];
    this.#arrive(newer.map((early) => early.message));
  }

  /** @param {import('./feed.js').Batch} batch */
  #take(batch) {
    /** @type {Message[]} */
    const arrived = [];
    for (const event of batch) {
      if ('message' in event) {
        if (!matches(event.message, this.query)) continue;
        if (this.#isBegun) arrived.push(event.message);
        else this.#early.push(event);
        continue;
      }
      if ('notice' in event || 'conversation' in event) continue;
      if ('removed' in event) {
        const stays = (/** @type {Message} */ message) => message.id !== event.removed;
        arrived.splice(0, arrived.length, ...arrived.filter(stays));
        this.#early = this.#early.filter((early) => stays(early.message));
        this.remove(event.removed);
        continue;
      }
      const { id } = 'update' in event ? event.update : event.change;
      const message = this.#known.get(id) ?? arrived.find((m) => m.id === id) ?? this.#early.find((e) => e.message.id === id)?.message;
      if ('update' in event) replace(message, event.update);
      else if (message) replace(message, withStatus(message, event.change));
      else if (this.#isBegun && event.change.status === this.query.status) void this.#fetchInto(event.change.seq);
    }
    this.#arrive(arrived.filter((message) => matches(message, this.query)));
    this.#dropUnmatched();
    this.#changed();
  }

  /** @param {Message[]} messages the oldest first */
  #arrive(messages) {
    const fresh = messages.filter((message) => !this.#known.has(message.id));
    for (const message of fresh) this.#keep(message, this.feed.epoch.value);
    const newestFirst = fresh.reverse();
    if (this.isPaused) this.waiting = [...newestFirst, ...this.waiting];
    else this.rows = [...newestFirst, ...this.rows];
    this.#trim();
  }

  #trim() {
    const over = this.rows.length + this.waiting.length - this.most;
    if (over <= 0) return;
    // Those that wait are new to the reader: the oldest of what is shown go first.
    const gone = this.rows.splice(Math.max(0, this.rows.length - over));
    const late = this.waiting.splice(Math.max(0, this.most - this.rows.length));
    for (const { id } of [...gone, ...late]) {
      this.#known.delete(id);
      this.#told.delete(id);
    }
    this.isComplete = false;
    this.#before = (this.rows.at(-1) ?? this.waiting.at(-1))?.id;
  }

  /** Holds new messages back, or lets those in that were. @param {boolean} isPaused */
  pause(isPaused) {
    if (this.isPaused === isPaused) return;
    this.isPaused = isPaused;
    if (!isPaused) {
      this.rows = [...this.waiting, ...this.rows];
      this.waiting = [];
    }
    this.#changed();
  }

  /** Takes a message as the server has just told it. @param {Message} message */
  update(message) {
    const known = this.#known.get(message.id);
    if (!known) return;
    replace(known, message);
    this.#told.set(message.id, this.feed.epoch.value);
    this.#dropUnmatched();
    this.#changed();
  }

  /** @param {string} id */
  remove(id) {
    if (!this.#known.delete(id)) return;
    this.#told.delete(id);
    this.rows = this.rows.filter((message) => message.id !== id);
    this.waiting = this.waiting.filter((message) => message.id !== id);
    this.#changed();
  }

  /**
   * Asks again for messages whose states may have changed during a break.
   * @param {number} from index of the first that is looked at
   * @param {number} to index after the last
   */
  async refresh(from, to) {
    const shown = this.rows.slice(from, to);
    const { epoch } = this.feed;
    const asked = epoch.value;
    const isOld = shown.some((message) => (this.#told.get(message.id) ?? 0) < asked);
    if (!isOld || this.#isRefreshing || this.query.q || this.query.message_type) return;
    this.#isRefreshing = true;
    const parameters = { ...this.query, before: this.rows[from - 1]?.id, limit: Math.min(shown.length + 20, 200) };
    try {
      const messages = await upToDate(this.feed, this.#ask(parameters).then((answer) => answer.messages));
      const told = new Map(messages.map((message) => [message.id, message]));
      for (const message of shown) {
        const now = told.get(message.id);
        if (now) this.update(now);
        else this.#told.set(message.id, asked);
      }
    } catch {
      // The connection has broken again; after it is back this is asked for once more.
    } finally {
      this.#isRefreshing = false;
    }
  }

  /** Puts a message that now matches to its place: before the next older one that does. @param {number} seq */
  async #fetchInto(seq) {
    const parameters = { ...this.query, before: seq + 1, limit: 2 };
    const [message, next] = await upToDate(this.feed, this.#ask(parameters).then((answer) => answer.messages)).catch(() => []);
    if (!message || this.#known.has(message.id)) return;
    const place = next ? this.rows.findIndex((row) => row.id === next.id) : this.rows.length;
    // Its neighbour is not loaded: it will come with it.
    if (place < 0 || (!next && !this.isComplete)) return;
    this.#keep(message, this.feed.epoch.value);
    this.rows.splice(place, 0, message);
    this.#changed();
  }

  /**
   * @param {Message} message
   * @param {number} epoch
   */
  #keep(message, epoch) {
    this.#known.set(message.id, message);
    this.#told.set(message.id, epoch);
  }

  /** A list of one state lets go of what has left it. */
  #dropUnmatched() {
    const { status } = this.query;
    if (!status) return;
    const stays = (/** @type {Message} */ message) => {
      if (message.status === status) return true;
      this.#known.delete(message.id);
      this.#told.delete(message.id);
      return false;
    };
    this.rows = this.rows.filter(stays);
    this.waiting = this.waiting.filter(stays);
  }

  #changed() {
    this.changed.value += 1;
  }
}

/**
 * Whether a message is one of those that a query asks for, as the server would say.
 * @param {Message} message
 * @param {Query} query
 */
export function matches(message, query) {
  const text = query.q.toLowerCase();
  const has = (/** @type {string | undefined} */ part) => part?.toLowerCase().includes(text) ?? false;
  const isAt = (!query.since || message.created_at >= Number(query.since)) && (!query.until || message.created_at < Number(query.until));
  /** @type {[string, string | undefined][]} */
  const fields = [
    [query.platform, message.platform ?? 'local'],
    [query.conversation, message.recipient],
    [query.status, message.status],
    [query.message_type, message.message_type],
    [query.sender, message.sender?.id],
  ];
  return isAt && fields.every(([wanted, is]) => !wanted || wanted === is) && (!text || has(message.content) || has(message.sender?.name));
}
