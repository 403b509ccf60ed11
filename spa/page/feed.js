import { ask, getRequests } from './api.js';
import { Conversations } from './conversations.js';
import { atMostEvery } from './dom.js';
import { learnName } from './names.js';
import { Signal } from './signal.js';
import { Socket } from './socket.js';

/** @typedef {import('./types.js').Message} Message */
/** @typedef {import('./types.js').StatusChange} StatusChange */
/** @typedef {import('./types.js').Arrival} Arrival */
/** @typedef {import('./types.js').Notice} Notice */
/** @typedef {import('./types.js').Conversation} Conversation */
/** @typedef {import('./types.js').ContactRequest} ContactRequest */

/**
 * Events that came at once, in their order: new messages, changes of status, messages as
 * they are now, deleted ones, notices, conversations as they are now.
 * @typedef {({message: Message, seq: number} | {change: StatusChange} | {update: Message}
 *   | {removed: string} | {notice: Notice} | {conversation: Conversation})[]} Batch
 */

/** How long events are gathered before they are shown, in milliseconds. */
const GATHER_TIME = 40;

/** Notices that are kept. */
const NOTICES = 500;

/** The shortest time between two looks at what is counted, and the longest. */
const MIN_COUNT_INTERVAL = 400;
const MAX_COUNT_INTERVAL = 15_000;

/** How long the first connection is waited for before messages are shown without it. */
const NO_SOCKET = 3000;

/** How long after a reconnect the end of what was missed is waited for. */
const CATCH_UP_TIMEOUT = 10_000;

/** Events of the server, for as long as it is open. */
export class Feed {
  /** @type {Signal<'connecting' | 'live' | 'away'>} */
  state = new Signal(/** @type {any} */ ('connecting'));
  /** @type {Signal<Batch>} */
  batch = new Signal(/** @type {Batch} */ ([]));
  /** Counts how often the store was replaced: states told before the last time may be old. */
  epoch = new Signal(0);
  /** How many messages were missed and have now come, after a reconnect. */
  caughtUp = new Signal(0);
  /** Counts how often it is unknown what was missed, so that lists must be loaded anew. */
  lapse = new Signal(0);
  /** @type {Signal<import('./types.js').Stats | undefined>} */
  stats = new Signal(/** @type {any} */ (undefined));
  /** @type {Signal<import('./types.js').Adapter[] | undefined>} */
  adapters = new Signal(/** @type {any} */ (undefined));
  /** Notices since the page was opened, the oldest first. @type {Notice[]} */
  notices = [];
  /** Friend and join requests, the newest first. @type {Signal<ContactRequest[] | undefined>} */
  requests = new Signal(/** @type {any} */ (undefined));

  /** @type {Batch} */
  #gathered = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {{until: string, count: number, timer: ReturnType<typeof setTimeout>} | undefined} */
  #missed;
  /** Messages that came since the last subscription was acknowledged. */
  #recent = 0;
  /** Whether something was shown before there was a subscription. */
  #isLate = false;
  #hasBegun = false;
  #subscription = Promise.withResolvers();
  #names = Promise.withResolvers();

  constructor() {
    this.socket = new Socket({
      replaced: () => {
        this.epoch.value += 1;
        this.lapse.value += 1;
      },
      subscribed: () => void this.#subscribed(),
      event: (event) => this.#take(event),
      lost: () => {
        if (this.state.value === 'live') this.state.value = 'away';
      },
    });
    this.conversations = new Conversations(this);
    // While it is live, events tell.
    this.look = setInterval(() => this.state.value !== 'live' && this.#lookAll(), MAX_COUNT_INTERVAL);
    // The conversations are seen first; they are asked for again once nothing new can be missed.
    void this.conversations.load();
    setTimeout(() => this.#hasBegun || this.#lookAll(), NO_SOCKET);
  }

  close() {
    clearInterval(this.look);
    clearTimeout(this.#timer);
    clearTimeout(this.#missed?.timer);
    this.socket.close();
  }

  /** Resolves once nothing new can be missed; or after a while, where no WebSocket comes through. */
  subscribed() {
    return this.#orLate(this.#subscription.promise);
  }

  /** The same, with the names that the latest conversations have now. */
  ready() {
    return this.#orLate(this.#names.promise);
  }

  /** @param {Promise<unknown>} awaited */
  #orLate(awaited) {
    const late = new Promise((resolve) => setTimeout(resolve, NO_SOCKET)).then(() => {
      this.#isLate ||= !this.#hasBegun;
    });
    return Promise.race([awaited, late]);
  }

  lookAtStats = atMostEvery(MIN_COUNT_INTERVAL, async () => {
    this.stats.value = await ask('api/stats').catch(() => this.stats.value);
  });

  lookAtAdapters = atMostEvery(MIN_COUNT_INTERVAL, async () => {
    const answer = await ask('api/platforms').catch(() => undefined);
    if (answer) this.adapters.value = answer.platforms;
  });

  lookAtRequests = atMostEvery(MIN_COUNT_INTERVAL, async () => {
    const answer = await getRequests().catch(() => undefined);
    const isNew = JSON.stringify(answer?.requests) !== JSON.stringify(this.requests.value);
    if (answer && isNew) this.requests.value = answer.requests;
  });

  /** Takes in a request that was answered here. @param {ContactRequest} request */
  answered(request) {
    this.requests.value = this.requests.value?.map((one) => (one.id === request.id ? request : one));
  }

  #lookAll() {
    if (document.hidden) return;
    this.lookAtStats();
    this.lookAtAdapters();
    this.lookAtRequests();
  }

  async #subscribed() {
    const isAgain = this.state.value === 'away';
    this.#recent = 0;
    this.#hasBegun = true;
    this.#subscription.resolve(undefined);
    this.state.value = 'live';
    const loading = Promise.all([ask('api/messages?limit=1').catch(() => undefined), this.conversations.load()]);
    this.#lookAll();
    const [page] = await loading;
    const newest = page?.messages[0]?.id;
    this.#lastId ||= newest ?? '';
    this.#names.resolve(undefined);
    if (this.#isLate) {
      this.#isLate = false;
      this.lapse.value += 1;
    }
    if (isAgain && page) this.#awaitMissed(newest);
  }

  /** @param {string | undefined} newest the last message that was missed, if any was */
  #awaitMissed(newest) {
    clearTimeout(this.#missed?.timer);
    const timer = setTimeout(() => this.#tellMissed(), CATCH_UP_TIMEOUT);
    this.#missed = { until: newest ?? '', count: this.#recent, timer };
    if (!newest || newest === this.#lastId) this.#tellMissed();
  }

  #tellMissed() {
    if (!this.#missed) return;
    clearTimeout(this.#missed.timer);
    const { count } = this.#missed;
    this.#missed = undefined;
    this.caughtUp.value = count;
  }

  #lastId = '';

  /** @param {any} event */
  #take(event) {
    const { type, data } = event;
    if (type === 'new_message') this.#gather(data);
    else if (type === 'message_status') this.#put({ change: data });
    else if (type === 'message_updated') this.#put({ update: updated(data) });
    else if (type === 'message_deleted') this.#put({ removed: data.id });
    else if (type === 'notice') this.#notice(data);
    else if (type === 'conversation_updated') this.#put({ conversation: data });
    else if (type === 'adapter_status') this.lookAtAdapters();
  }

  /** @param {Notice} notice */
  #notice(notice) {
    this.#put({ notice });
    this.notices = [...this.notices, notice].slice(-NOTICES);
    if (notice.request !== undefined) this.lookAtRequests();
  }

  /** @param {Arrival} arrival */
  #gather(arrival) {
    this.#lastId = arrival.id;
    this.#recent += 1;
    const message = messageOf(arrival);
    learnName(message.platform, message.recipient, message.conversation_name);
    this.#put({ message, seq: arrival.seq });
    if (this.#missed) {
      this.#missed.count += 1;
      if (arrival.id === this.#missed.until) this.#tellMissed();
    }
  }

  /** @param {Batch[number]} event */
  #put(event) {
    this.#gathered.push(event);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const batch = this.#gathered;
      this.#gathered = [];
      this.batch.value = batch;
      this.lookAtStats();
      this.lookAtAdapters();
    }, GATHER_TIME);
  }
}

/**
 * The message that `message_updated` tells.
 * @param {Message & {conversation: string, seq?: number}} data
 * @returns {Message}
 */
function updated({ conversation, seq: _, ...message }) {
  if (message.platform === 'local') delete message.platform;
  return { ...message, recipient: conversation };
}

/**
 * The message that an arrival brings. Its state is told by later changes: what came in, and what
 * the account's owner wrote elsewhere, needs none.
 * @param {Arrival} arrival
 * @returns {Message}
 */
function messageOf({ conversation, platform, seq: _, ...rest }) {
  const isDone = rest.direction === 'Inbound' || rest.sender !== undefined;
  return {
    ...rest,
    recipient: conversation,
    ...(platform === 'local' ? {} : { platform }),
    status: isDone ? 'Sent' : 'Pending',
    updated_at: rest.created_at,
    retry_count: 0,
  };
}
