// What the server says, and what the page's parts say to each other. Types alone.

/** @typedef {'Pending' | 'Sending' | 'Sent' | 'Failed' | 'Canceled'} Status */
/** @typedef {'Text' | 'Image' | 'File' | 'Video' | 'Audio'} MessageType */

/**
 * A message, as `GET /api/messages` gives it.
 * @typedef {object} Message
 * @property {string} id
 * @property {MessageType} message_type
 * @property {string} content
 * @property {string} recipient the conversation
 * @property {Status} status
 * @property {number} created_at Unix seconds
 * @property {number} updated_at Unix seconds
 * @property {number} retry_count
 * @property {string} [platform] absent as long as none is found
 * @property {'Inbound'} [direction]
 * @property {string} [conversation_name]
 * @property {{id: string, name: string}} [sender]
 * @property {string} [account]
 * @property {string} [last_error]
 * @property {string} [waiting] why it waits, and what would help
 */

/**
 * What `message_status` tells.
 * @typedef {object} StatusChange
 * @property {string} id
 * @property {Status} status
 * @property {number} retry_count
 * @property {number} updated_at
 * @property {string} platform
 * @property {string} conversation
 * @property {number} seq
 * @property {string} [last_error]
 */

/**
 * What `new_message` tells.
 * @typedef {object} Arrival
 * @property {string} id
 * @property {string} platform
 * @property {string} conversation
 * @property {string} [conversation_name]
 * @property {string} content
 * @property {MessageType} message_type
 * @property {{id: string, name: string}} [sender]
 * @property {number} created_at
 * @property {number} seq
 * @property {'Inbound'} [direction]
 * @property {string} [account]
 */

/** @typedef {{pending: number, sending: number, sent: number, failed: number, canceled: number, total: number}} Stats */
/** @typedef {{from: number, in: number[], out: number[]}} Activity */
/** @typedef {'Connecting' | 'Connected' | 'Disconnected' | 'Error'} AdapterState */

/**
 * @typedef {object} Adapter
 * @property {string} kind
 * @property {string} platform
 * @property {string} [account]
 * @property {AdapterState} state
 * @property {string} [reason] why it is in this state, and what helps
 * @property {number} since Unix seconds
 * @property {number} sent
 * @property {number} received
 * @property {number} failed
 * @property {string} [last_error]
 */

/** @typedef {{platform: string, conversation: string, name?: string, account?: string, last_seq: number, last_at: number}} Conversation */

/**
 * Which messages a list is of; an empty word stands for any.
 * @typedef {{q: string, platform: string, conversation: string, status: string, message_type: string}} Query
 */

/**
 * A view that is shown; `close` ends what it follows.
 * @typedef {{element: HTMLElement, close: () => void}} View
 */

export {};
