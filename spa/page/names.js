// What people call conversations: platforms tell it with what they send, not with what we send.

import { ask } from './api.js';

/** @type {Map<string, string>} */
const names = new Map();

/**
 * @param {string | undefined} platform
 * @param {string} conversation
 */
const key = (platform, conversation) => `${platform ?? ''}\n${conversation}`;

/** @param {import('./types.js').Message} message */
export function learnName({ platform, recipient, conversation_name: name }) {
  if (name) names.set(key(platform, recipient), name);
}

/** Learns the names of all conversations that are known. */
export async function learnNames() {
  const before = new Map(names);
  const told = await ask('api/conversations').catch(() => undefined);
  /** @type {import('./types.js').Conversation[]} */
  const conversations = told?.conversations ?? [];
  for (const { platform, conversation, name } of conversations) {
    const known = key(platform, conversation);
    // What came in the meantime is newer than this answer.
    if (name && names.get(known) === before.get(known)) names.set(known, name);
  }
}

/**
 * The conversation as people call it now, or else its ID. A message has the name of its own time.
 * @param {Pick<import('./types.js').Message, 'platform' | 'recipient' | 'conversation_name'>} message
 */
export const conversationName = ({ platform, recipient, conversation_name: name }) =>
  names.get(key(platform, recipient)) || name || recipient;
