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
  const told = await ask('api/conversations').catch(() => undefined);
  /** @type {import('./types.js').Conversation[]} */
  const conversations = told?.conversations ?? [];
  for (const { platform, conversation, name } of conversations) {
    if (name) names.set(key(platform, conversation), name);
  }
}

/** The conversation as people call it, or else its ID. @param {import('./types.js').Message} message */
export const conversationName = ({ platform, recipient, conversation_name: name }) =>
  name || names.get(key(platform, recipient)) || recipient;
