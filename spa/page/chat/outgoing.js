import { tell } from '../api.js';
import { errorText } from '../errors.js';
import { segmentOf } from '../media.js';
import { keyOf } from '../names.js';
import { Signal } from '../signal.js';
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
 */

/** Messages that are written here and not yet at the server, of all conversations, in order. */
export class OutgoingQueue {
  /** @type {Outgoing[]} */
  #items = [];
  #isBusy = false;
  changed = new Signal(0);
  /** Tells a message that the server has taken, in place of the one with that ID. */
  taken = new Signal(/** @type {{id: string, message: Message} | undefined} */ (undefined));

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
      id: `outgoing-${key}`,
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
    this.#items.push({ message, files, key, progress: 0 });
    this.#changed();
    void this.#work();
  }

  /** Tries a message again that was not taken. @param {string} id */
  retry(id) {
    this.#set(id, { status: 'Sending', last_error: undefined });
    void this.#work();
  }

  /** @param {string} id */
  drop(id) {
    this.#items = this.#items.filter((item) => item.message.id !== id);
    this.#changed();
  }

  /** Hands over one after the other, so that they keep their order. */
  async #work() {
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (;;) {
      const item = this.#items.find(({ message }) => message.status === 'Sending');
      if (!item) break;
      await this.#post(item);
    }
    this.#isBusy = false;
  }

  /** @param {Outgoing} item */
  async #post(item) {
    const { id, platform, recipient, reply_to } = item.message;
    try {
      const uploaded = [];
      for (const [at, file] of item.files.entries()) {
        const segment = await upload(file, (part) => {
          item.progress = (at + part) / item.files.length;
          this.#changed();
        });
        uploaded.push({ ...segment, ...(await dimensions(file)) });
      }
      const rest = item.message.segments?.slice(item.files.length) ?? [];
      const body = { platform, recipient, segments: [...uploaded, ...rest], ...(reply_to?.id ? { reply_to: reply_to.id } : {}) };
      const plain = body.segments.length === 1 && rest.length === 1 && rest[0]?.type === 'text' && !reply_to;
      const text = plain ? { platform, recipient, message_type: 'Text', content: rest[0]?.text } : body;
      const message = await tell('POST', 'api/messages', text, { 'idempotency-key': item.key });
      this.#items = this.#items.filter((one) => one !== item);
      const told = plain ? { platform, ...message } : { ...item.message, segments: body.segments, ...message };
      this.taken.value = { id, message: told };
      this.#changed();
    } catch (error) {
      this.#set(id, { status: 'Failed', last_error: errorText(error) });
    }
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
  }
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
