// How a message that is shown takes in what became of it.

import { Refused } from './api.js';

/** @typedef {import('./types.js').Message} Message */
/** @typedef {import('./feed.js').Feed} Feed */

/**
 * The message with another status.
 * @param {Message} message
 * @param {import('./types.js').StatusChange} change
 * @returns {Message}
 */
export function withStatus(message, { platform, seq: _, conversation: __, ...told }) {
  const { last_error: _1, last_error_code: _2, last_error_detail: _3, waiting: _4, ...kept } = message;
  return { ...kept, ...told, ...(platform === 'local' ? {} : { platform }) };
}

/**
 * Makes one message the same as another, in place: fields that are absent there go.
 * @param {Message | undefined} known
 * @param {Message} now
 */
export function replace(known, now) {
  if (!known || known === now) return;
  for (const name of Object.keys(known)) if (!(name in now)) delete known[/** @type {keyof Message} */ (name)];
  Object.assign(known, now);
}

/**
 * Waits for messages that the server was asked for. An event that comes meanwhile can be newer than
 * the answer, so it is applied to it; events that are older are followed by newer ones.
 * @param {Feed} feed
 * @param {Promise<Message[]>} answer
 * @returns {Promise<Message[]>}
 */
export async function upToDate(feed, answer) {
  /** @type {Map<string, (import('./feed.js').Batch[number])[]>} */
  const meanwhile = new Map();
  const end = feed.batch.watch((batch) => {
    for (const event of batch) {
      const id = changedBy(event);
      if (id) meanwhile.set(id, [...(meanwhile.get(id) ?? []), event]);
    }
  });
  try {
    const messages = await answer;
    return messages.flatMap((message) => (meanwhile.get(message.id) ?? []).reduce(after, [message]));
  } finally {
    end();
  }
}

/** The message that an event changes. @param {import('./feed.js').Batch[number]} event */
function changedBy(event) {
  if ('change' in event) return event.change.id;
  if ('update' in event) return event.update.id;
  return 'removed' in event ? event.removed : undefined;
}

/**
 * A message after an event; none where the event deletes it.
 * @param {Message[]} message
 * @param {import('./feed.js').Batch[number]} event
 * @returns {Message[]}
 */
function after(message, event) {
  if ('removed' in event) return [];
  if ('update' in event) return [event.update];
  return 'change' in event ? message.map((one) => withStatus(one, event.change)) : message;
}

/**
 * The same for one message; where it was deleted meanwhile, this fails as the next request for it would.
 * @param {Feed} feed
 * @param {Promise<Message>} answer
 * @returns {Promise<Message>}
 */
export async function oneUpToDate(feed, answer) {
  const [message] = await upToDate(feed, answer.then((told) => [told]));
  if (!message) throw new Refused(404, 'the message was deleted');
  return message;
}
