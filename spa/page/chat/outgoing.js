import { Refused, tell } from '../api.js';
import { errorText } from '../errors.js';
import { t } from '../i18n.js';
import { segmentOf } from '../media.js';
import { keyOf } from '../names.js';
import { Signal } from '../signal.js';
import { keepStored, stored } from '../storage.js';
import { upload } from './upload.js';

/** @typedef {import('../types.js').Message} Message */
/** @typedef {import('../types.js').Segment} Segment */

/**
 * A message on its way to the server.
 * @typedef {object} Outgoing
 * @property {Message} message as it is shown meanwhile
 * @property {File[]} files uploaded first
 * @property {string} key the same however often it is tried, so that it is made once
 * @property {number} progress uploaded part of the files, 0 to 1
 * @property {AbortController} ending ends its upload
 */

/** How the ID of a message begins that is not at the server. */
const OUTGOING = 'outgoing-';

/** Whether a message is still on its way to the server. @param {{id: string}} message */
export const isOutgoing = ({ id }) => id.startsWith(OUTGOING);

/** The place in this browser for messages without files, until the server has them. */
const STORAGE_KEY = 'rechat.outgoing';

/** How long a server that does not take a message is left alone, and how long it may take, in milliseconds. */
const PAUSE = 3000;
const SEND_TIMEOUT = 60_000;

/** Messages that are written here and not yet at the server, of all conversations, in order. */
class OutgoingQueue {
  /** @type {Outgoing[]} */
  #items = Object.values(stored(STORAGE_KEY)).map((message) => begun(message, []));
  /** Conversations of which a message is being handed over. @type {Set<string>} */
  #busy = new Set();
  changed = new Signal(0);
  /** Tells a message that the server has taken, in place of the one with that ID. */
  taken = new Signal(/** @type {{id: string, message: Message} | undefined} */ (undefined));

  constructor() {
    // Files are nowhere else yet.
    addEventListener('beforeunload', (event) => {
      if (this.#items.some(({ files }) => files.length > 0)) event.preventDefault();
    });
  }

  /** Goes on with what the server did not get. */
  goOn() {
    for (const { message } of this.#items) void this.#work(keyOf(message.platform, message.recipient));
  }

  /**
   * Those of a conversation, as messages.
   * @param {string} platform
   * @param {string} conversation
   */
  of(platform, conversation) {
    const here = keyOf(platform, conversation);
    return this.#items.filter(({ message }) => keyOf(message.platform, message.recipient) === here).map(({ message }) => message);
  }

  /** @param {string} id */
  progress(id) {
    return this.#items.find((item) => item.message.id === id)?.progress;
  }

  /**
   * @param {{platform: string, conversation: string}} to
   * @param {Segment[]} segments
   * @param {File[]} files
   * @param {Message['reply_to']} reply_to
   */
  send({ platform, conversation }, segments, files, reply_to) {
    const key = crypto.getRandomValues(new Uint32Array(4)).join('-');
    const now = Math.floor(Date.now() / 1000);
    /** @type {Message} */
    const message = {
      id: OUTGOING + key,
      message_type: 'Text',
      content: '',
      recipient: conversation,
      platform,
      status: 'Sending',
      created_at: now,
      updated_at: now,
      retry_count: 0,
      segments: [...files.map(placeholder), ...segments],
      ...(reply_to ? { reply_to } : {}),
    };
    this.#items.push(begun(message, files));
    this.#changed();
    void this.#work(keyOf(platform, conversation));
  }

  /** Tries a message again that was not taken. @param {string} id */
  retry(id) {
    this.#set(id, { status: 'Sending', last_error: undefined });
    this.goOn();
  }

  /** Takes a message back that is not at the server; gives it. @param {string} id */
  drop(id) {
    const item = this.#items.find(({ message }) => message.id === id);
    item?.ending.abort();
    this.#items = this.#items.filter((one) => one !== item);
    this.#changed();
    return item?.message;
  }

  /** Takes everything back, when the user signs out. */
  forget() {
    for (const { message } of this.#items) this.drop(message.id);
  }

  /** Hands over one of a conversation after the other, so that they keep their order. @param {string} conversation */
  async #work(conversation) {
    if (this.#busy.has(conversation)) return;
    this.#busy.add(conversation);
    for (;;) {
      const item = this.#items.find(({ message }) => message.status === 'Sending' && keyOf(message.platform, message.recipient) === conversation);
      if (!item) break;
      await this.#post(item);
    }
    this.#busy.delete(conversation);
  }

  /** @param {Outgoing} item */
  async #post(item) {
    const { id } = item.message;
    try {
      await this.#handOver(item);
    } catch (error) {
      if (item.ending.signal.aborted) return;
      const isAway = !(error instanceof Refused) || error.status === 0 || error.status >= 500;
      if (!isAway || item.files.length > 0) {
        this.#set(id, { status: 'Failed', last_error: errorText(error) });
        return;
      }
      this.#set(id, { waiting: t('waitsForServer') });
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }

  /** @param {Outgoing} item */
  async #handOver(item) {
    const { id, platform, recipient, reply_to } = item.message;
    const uploaded = [];
    for (const [at, file] of item.files.entries()) {
      const segment = await upload(file, (part) => {
        item.progress = (at + part) / item.files.length;
        this.#changed();
      }, item.ending.signal);
      uploaded.push({ ...segment, ...(await dimensions(file)) });
    }
    const rest = item.message.segments?.slice(item.files.length) ?? [];
    const body = { platform, recipient, segments: [...uploaded, ...rest], ...(reply_to?.id ? { reply_to: reply_to.id } : {}) };
    const plain = body.segments.length === 1 && rest.length === 1 && rest[0]?.type === 'text' && !reply_to;
    const text = plain ? { platform, recipient, message_type: 'Text', content: rest[0]?.text } : body;
    if (item.ending.signal.aborted) return;
    const message = await tell('POST', 'api/messages', text, { 'idempotency-key': item.key }, AbortSignal.timeout(SEND_TIMEOUT));
    this.#items = this.#items.filter((one) => one !== item);
    const { waiting: _, ...shown } = item.message;
    const told = plain ? { platform, ...message } : { ...shown, segments: body.segments, ...message };
    this.taken.value = { id, message: told };
    this.#changed();
  }

  /**
   * @param {string} id
   * @param {Partial<Message>} change
   */
  #set(id, change) {
    const item = this.#items.find((one) => one.message.id === id);
    if (item) item.message = { ...item.message, ...change };
    this.#changed();
  }

  #changed() {
    this.changed.value += 1;
    keepStored(STORAGE_KEY, Object.fromEntries(this.#items.filter(({ files }) => files.length === 0).map(({ message }) => [message.id, message])));
  }
}

/** Those of this page, whatever view is shown. */
export const outgoing = new OutgoingQueue();

/**
 * A message as it begins its way; its ID tells the key.
 * @param {Message} message
 * @param {File[]} files
 * @returns {Outgoing}
 */
function begun(message, files) {
  return { message, files, key: message.id.slice(OUTGOING.length), progress: 0, ending: new AbortController() };
}

/** Addresses of files in memory, for as long as the page lives. @type {WeakMap<File, string>} */
const previews = new WeakMap();

/** @param {File} file */
export function previewOf(file) {
  const made = previews.get(file) ?? URL.createObjectURL(file);
  previews.set(file, made);
  return made;
}

/** The segment of a file until it is uploaded. @param {File} file @returns {Segment} */
function placeholder(file) {
  const segment = segmentOf(file);
  return segment.type === 'image' ? { ...segment, url: previewOf(file) } : { ...segment, type: 'file' };
}

/** Pixels of a picture, so that its place can be kept. @param {File} file */
async function dimensions(file) {
  if (!file.type.startsWith('image/')) return {};
  const bitmap = await createImageBitmap(file).catch(() => undefined);
  return bitmap ? { width: bitmap.width, height: bitmap.height } : {};
}
