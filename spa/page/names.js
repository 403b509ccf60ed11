// Names of conversations. Platforms tell them with inbound messages, not with outbound ones.

/** @type {Map<string, string>} */
const names = new Map();

/**
 * Identifies a conversation among those of all platforms.
 * @param {string | undefined} platform
 * @param {string} conversation
 */
export const keyOf = (platform, conversation) => `${platform ?? ''}\n${conversation}`;

/**
 * @param {string | undefined} platform
 * @param {string} conversation
 * @param {string | undefined} name
 */
export function learnName(platform, conversation, name) {
  if (name) names.set(keyOf(platform, conversation), name);
}

/**
 * The conversation as people call it now, or else its ID. A message has the name of its own time.
 * @param {Pick<import('./types.js').Message, 'platform' | 'recipient' | 'conversation_name'>} message
 */
export const conversationName = ({ platform, recipient, conversation_name: name }) =>
  names.get(keyOf(platform, recipient)) || name || recipient;

/**
 * The same of an entry of the list of conversations.
 * @param {Pick<import('./types.js').Conversation, 'platform' | 'conversation' | 'name'>} entry
 */
export const nameOfConversation = ({ platform, conversation, name }) =>
  names.get(keyOf(platform, conversation)) || name || conversation;

/**
 * Whether a conversation is with one person.
 * @param {Pick<import('./types.js').Conversation, 'kind' | 'conversation'>} entry
 */
export const isPrivate = ({ kind, conversation }) => (kind ?? conversation.split('_')[0]) === 'private';
