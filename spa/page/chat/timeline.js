import { Refused, ask, getMessage, withQuery } from '../api.js';
import { upToDate, withStatus } from '../changes.js';
import { Signal } from '../signal.js';

/** @typedef {import('../types.js').Message} Message */
/** @typedef {import('../types.js').Notice} Notice */

/** A row of the conversation: a message, or something that happened in it. @typedef {Message | (Notice & {id: string})} Row */

/** Messages asked for at once. */
const PAGE = 100;

/** Unread messages up to which everything from there on is loaded at once. */
const MAX_UNREAD_AT_ONCE = 150;

/** @param {Row} row @returns {row is Message} */
export const isMessage = (row) => 'recipient' in row;

/**
 * A part of one conversation's history without gaps, the oldest first. It ends with the newest
 * message, unless an older one was jumped to. A message that changes becomes a new object.
 */
export class Timeline {
  /** @type {Row[]} */
  rows = [];
  hasOlder = true;
  hasNewer = false;
  isLoading = false;
  /** @type {Refused | undefined} */
  error;
  /** The first message that was unread when it was opened. */
  firstUnread = '';
  changed = new Signal(0);
  /** Tells messages that came live, also where they are not among the rows. @type {Signal<Message[]>} */
  arrived = new Signal(/** @type {Message[]} */ ([]));

  #closing = new AbortController();
  /** The load that failed last. @type {(() => Promise<void>) | undefined} */
  #failed;
  /** Ends with the last load that was asked for: one follows the other. */
  #loads = Promise.resolve();
  /** Messages that came while the end of what is loaded was not known. @type {Message[]} */
  #early = [];
  #isBegun = false;
  #notices = 0;
  /** @type {(() => void)[]} */
  #ends;

  /**
   * @param {import('../feed.js').Feed} feed
   * @param {string} platform
   * @param {string} conversation
   */
  constructor(feed, platform, conversation) {
    this.feed = feed;
    this.platform = platform;
    this.conversation = conversation;
    this.#ends = [
      feed.batch.watch((batch) => this.#take(batch)),
      feed.lapse.watch(() => void this.latest()),
      feed.state.watch((state) => state === 'live' && this.error && void this.again()),
    ];
  }

  close() {
    this.#closing.abort();
    for (const end of this.#ends) end();
  }

  /** @param {string | undefined} id */
  find(id) {
    return this.rows.find((row) => row.id === id);
  }

  /**
   * Loads the newest page, and everything back to the first unread message.
   * @param {Promise<number>} asked how many are unread; asked at the same time
   */
  async open(asked) {
    const newest = this.#ask({ limit: PAGE }, asked);
    newest.catch(() => {});
    const unread = await asked;
    if (unread > MAX_UNREAD_AT_ONCE) {
      const [first] = await this.#ask({ direction: 'Inbound', offset: unread - 1, limit: 1 }).then(({ messages }) => messages, () => []);
      if (first) {
        this.firstUnread = first.id;
        return this.around(first.id);
      }
    }
    await this.#load(async () => this.#replaceBy(await (unread + 20 > PAGE ? this.#ask({ limit: unread + 20 }) : newest)));
    if (unread > 0) this.firstUnread = this.#inbound(unread)?.id ?? '';
    return undefined;
  }

  /** Forgets what is here and loads the newest page. */
  latest() {
    return this.#load(async () => {
      // Before that, what comes after the page could be missed.
      await this.feed.subscribed();
      this.#replaceBy(await this.#ask({ limit: PAGE }));
    });
  }

  /** Makes sure that a message and what is around it are here; false where there is no such message. @param {string} id */
  async around(id) {
    if (this.find(id)) return true;
    let isThere = true;
    await this.#load(async () => {
      // Before that, what comes meanwhile could be missed.
      await this.feed.subscribed();
      const answer = Promise.all([getMessage(id), this.#page({ before: id, limit: PAGE / 2 })]).then(([message, older]) => [message, ...older]);
      const messages = await upToDate(this.feed, answer).catch((error) => {
        if (error instanceof Refused && (error.status === 404 || error.status === 400)) return [];
        throw error;
      });
      isThere = messages[0]?.id === id;
      if (!isThere) return;
      this.rows = messages.reverse();
      this.hasOlder = (await answer).length > PAGE / 2;
      this.hasNewer = true;
      this.#begin();
      await this.#newer();
    });
    return isThere;
  }

  /** Repeats the load that failed. */
  again() {
    return this.#failed ? this.#load(this.#failed) : this.latest();
  }

  async older() {
    const first = this.rows.find(isMessage);
    if (!this.hasOlder || !first || this.isLoading) return;
    await this.#load(async () => {
      const older = await this.#ask({ before: first.id, limit: PAGE });
      this.hasOlder = older.isFull;
      this.rows = [...this.#unknown(older.messages.reverse()), ...this.rows];
    });
  }

  async newer() {
    if (this.hasNewer && !this.isLoading) await this.#load(() => this.#newer());
  }

  /** Loads the messages after the last one. */
  async #newer() {
    const last = this.rows.findLast(isMessage);
    if (!last) return;
    this.#early = [];
    const { messages, isFull } = await this.#ask({ after: last.id, limit: PAGE, order: undefined });
    // The answer does not have what came while it was made.
    this.#append(isFull ? messages : [...messages, ...this.#early]);
    this.#early = [];
    this.hasNewer = isFull;
  }

  /** Shows a message that was just made here, before its event comes. @param {Message} message */
  add(message) {
    if (!this.hasNewer) this.#append([message]);
    this.#changed();
  }

  /** Takes a message as the server has just told it. @param {Message} message */
  update(message) {
    this.#change(message.id, () => message);
    this.#changed();
  }

  /** @param {() => Promise<void>} load */
  #load(load) {
    this.isLoading = true;
    this.#loads = this.#loads.then(() => this.#run(load));
    return this.#loads;
  }

  /** @param {() => Promise<void>} load */
  async #run(load) {
    this.isLoading = true;
    this.error = undefined;
    this.#failed = undefined;
    this.#changed();
    try {
      await load();
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      this.error = error instanceof Refused ? error : new Refused(0, String(error));
      this.#failed = load;
    }
    this.isLoading = false;
    this.#changed();
  }

  /** @param {{messages: Message[], isFull: boolean}} page */
  #replaceBy(page) {
    this.rows = page.messages.reverse();
    this.hasOlder = page.isFull;
    this.hasNewer = false;
    this.#begin();
  }

  #begin() {
    this.#isBegun = true;
    if (!this.hasNewer) {
      this.#append(this.#early);
      const from = this.hasOlder ? this.rows[0]?.created_at ?? 0 : 0;
      const notices = this.feed.notices.filter((notice) => this.#isHere(notice) && notice.created_at >= from);
      this.#append(notices.map((notice) => this.#row(notice)));
    }
    this.#early = [];
  }

  /**
   * A page of this conversation, the newest first, and whether there may be more.
   * @param {Record<string, string | number | undefined> & {limit: number}} parameters
   * @param {Promise<unknown>} [until] what its use waits for
   */
  async #ask(parameters, until) {
    const answer = this.#page(parameters);
    const messages = await upToDate(this.feed, Promise.all([answer, until]).then(([page]) => page));
    return { messages, isFull: (await answer).length >= parameters.limit };
  }

  /**
   * The same as the server had it when it answered.
   * @param {Record<string, string | number | undefined> & {limit: number}} parameters
   * @returns {Promise<Message[]>}
   */
  async #page(parameters) {
    const { platform, conversation } = this;
    const path = withQuery('api/messages', { platform, conversation, order: 'time', ...parameters });
    return (await ask(path, { signal: this.#closing.signal })).messages;
  }

  /** @param {number} count */
  #inbound(count) {
    const inbound = this.rows.filter((row) => isMessage(row) && row.direction === 'Inbound');
    return inbound.at(-count) ?? inbound[0];
  }

  /** @param {Message[]} messages */
  #unknown(messages) {
    const unknown = new Set(messages.map(({ id }) => id));
    for (const { id } of this.rows) unknown.delete(id);
    return messages.filter(({ id }) => unknown.has(id));
  }

  /** @param {{platform?: string, conversation?: string, recipient?: string}} at */
  #isHere({ platform = 'local', conversation, recipient }) {
    return platform === this.platform && (conversation ?? recipient) === this.conversation;
  }

  /** @param {import('../feed.js').Batch} batch */
  #take(batch) {
    /** @type {Message[]} */
    const arrived = [];
    let isChanged = false;
    for (const event of batch) {
      if ('message' in event && this.#isHere(event.message)) arrived.push(event.message);
      else if ('notice' in event && this.#isHere(event.notice)) this.#notice(event.notice);
      else if ('change' in event) isChanged = this.#change(event.change.id, (message) => withStatus(message, event.change), arrived) || isChanged;
      else if ('update' in event) isChanged = this.#change(event.update.id, () => event.update, arrived) || isChanged;
      else if ('removed' in event) isChanged = this.#remove(event.removed, arrived) || isChanged;
    }
    if (arrived.length > 0) this.#arrive(arrived);
    else if (isChanged) this.#changed();
  }

  /** @param {Message[]} messages */
  #arrive(messages) {
    if (!this.#isBegun) {
      this.#early.push(...messages);
      return;
    }
    if (!this.hasNewer) this.#append(messages);
    else if (this.isLoading) this.#early.push(...messages);
    this.arrived.value = messages;
    this.#changed();
  }

  /** Puts messages where they were said: at the end, but for those that a platform tells late. @param {Row[]} messages */
  #append(messages) {
    const rows = [...this.rows];
    for (const message of this.#unknown(/** @type {Message[]} */ (messages))) {
      const before = rows.findLastIndex((row) => row.created_at <= message.created_at);
      rows.splice(before + 1, 0, message);
    }
    this.rows = rows;
  }

  /** @param {Notice} notice */
  #notice(notice) {
    if (this.#isBegun && !this.hasNewer) this.#append([this.#row(notice)]);
    this.#changed();
  }

  /** @param {Notice} notice */
  #row(notice) {
    this.#notices += 1;
    return { ...notice, id: `notice-${this.#notices}` };
  }

  /**
   * @param {string} id
   * @param {(message: Message) => Message} change
   * @param {Message[]} [arrived]
   */
  #change(id, change, arrived = []) {
    for (const list of [this.rows, arrived, this.#early]) {
      const index = list.findLastIndex((row) => row.id === id);
      if (index >= 0) {
        list[index] = change(/** @type {Message} */ (list[index]));
        return true;
      }
    }
    return false;
  }

  /**
   * @param {string} id
   * @param {Message[]} arrived
   */
  #remove(id, arrived) {
    const stays = (/** @type {Row} */ row) => row.id !== id;
    arrived.splice(0, arrived.length, ...arrived.filter(stays));
    this.#early = this.#early.filter(stays);
    const before = this.rows.length;
    this.rows = this.rows.filter(stays);
    return this.rows.length < before;
  }

  #changed() {
    this.changed.value += 1;
  }
}
