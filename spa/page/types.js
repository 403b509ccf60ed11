// Types of the server's answers, and of the page's own parts.

/** @typedef {'Pending' | 'Sending' | 'Sent' | 'Failed' | 'Canceled'} Status */
/** @typedef {'Text' | 'Image' | 'File' | 'Video' | 'Audio'} MessageType */

/** @typedef {{id: string, name?: string}} Person */

/**
 * One part of a message; which fields it has depends on its type.
 * @typedef {object} Segment
 * @property {'text' | 'mention' | 'mention_all' | 'emoji' | 'image' | 'audio' | 'video' | 'file' | 'location' | 'forward' | 'card' | 'other'} type
 * @property {string} [text]
 * @property {string} [user]
 * @property {string} [name]
 * @property {boolean} [me]
 * @property {string} [id]
 * @property {string} [url]
 * @property {number} [size] bytes
 * @property {string} [mime]
 * @property {number} [width] pixels
 * @property {number} [height] pixels
 * @property {number} [duration] seconds
 * @property {string} [media] SHA-256, once the server has the bytes
 * @property {{reason: string, code?: string, detail?: string, retryable?: boolean, at: number}} [failure] how the last attempt to fetch them failed
 * @property {string} [summary]
 * @property {number} [latitude]
 * @property {number} [longitude]
 * @property {string} [title]
 * @property {string} [address]
 * @property {string} [image]
 * @property {{sender?: Person, created_at?: number, segments: Segment[]}[]} [items]
 */

/** @typedef {{emoji: string, count: number, mine?: boolean}} Reaction */

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
 * @property {string} [last_error_code]
 * @property {string} [last_error_detail] what the platform said
 * @property {string} [waiting_code]
 * @property {string} [waiting_detail]
 * @property {string} [waiting] why it waits, and what would help
 * @property {boolean} [unconfirmed] sent, but the platform gave no proof
 * @property {Segment[]} [segments] absent where the content is one plain text
 * @property {{id?: string, sender?: Person, content?: string}} [reply_to]
 * @property {number} [edited_at] Unix seconds
 * @property {number} [recalled_at] Unix seconds
 * @property {Person} [recalled_by]
 * @property {Reaction[]} [reactions]
 * @property {string} [via] the bot that made it
 */

/**
 * The data of `message_status`.
 * @typedef {object} StatusChange
 * @property {string} id
 * @property {Status} status
 * @property {number} retry_count
 * @property {number} updated_at
 * @property {string} platform
 * @property {string} conversation
 * @property {number} seq
 * @property {string} [last_error]
 * @property {string} [last_error_code]
 * @property {string} [last_error_detail]
 */

/**
 * The data of `new_message`.
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
 * @property {Segment[]} [segments]
 * @property {Message['reply_to']} [reply_to]
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
 * @property {number} since Unix seconds
 * @property {number} sent
 * @property {number} received
 * @property {number} failed
 * @property {string} [reason] why it is in this state, and what helps
 * @property {string} [reason_code]
 * @property {string} [reason_detail] what others said
 * @property {string} [last_error]
 * @property {string} [last_error_code]
 * @property {string} [last_error_detail]
 */

/** Why an adapter or a bot is in its state. @typedef {Pick<Adapter, 'reason' | 'reason_code' | 'reason_detail'>} Reasons */

/**
 * A bot, as `GET /api/bots` gives it.
 * @typedef {object} Bot
 * @property {string} name
 * @property {string} kind
 * @property {AdapterState} state
 * @property {number} since Unix seconds
 * @property {number} delivered events that it has read
 * @property {number} waiting events that it is to be told yet
 * @property {string} [reason] why it is in this state, and what helps
 * @property {string} [reason_code]
 * @property {string} [reason_detail] what others said
 * @property {string} [last_error]
 * @property {string} [last_error_code]
 * @property {string} [last_error_detail]
 * @property {string} [url] the address that rechat connects to
 * @property {{platform: string, account: string, self_id: number}[]} accounts
 */

/**
 * @typedef {object} Conversation
 * @property {string} platform
 * @property {string} conversation
 * @property {'group' | 'private' | 'channel'} [kind]
 * @property {string} [name]
 * @property {string} [account]
 * @property {Message} [last_message]
 * @property {number} last_seq
 * @property {number} last_at Unix seconds
 * @property {number} [unread]
 * @property {number} [mentions]
 * @property {boolean} [muted]
 * @property {boolean} [pinned]
 */

/**
 * The data of `notice`.
 * @typedef {object} Notice
 * @property {string} platform
 * @property {string} [conversation]
 * @property {string} kind
 * @property {Person} [user]
 * @property {Person} [operator]
 * @property {string} text
 * @property {number} created_at Unix seconds
 * @property {number} [request] ID of the request, where it can be answered
 */

/**
 * Somebody who wants to be a friend, or to join a group.
 * @typedef {object} ContactRequest
 * @property {number} id
 * @property {string} platform
 * @property {string} account the account of ours that is asked
 * @property {string} [conversation] the group
 * @property {'friend_request' | 'join_request'} kind
 * @property {Person} [user]
 * @property {string} text their words
 * @property {number} created_at Unix seconds
 * @property {boolean} [approved] absent while it waits for an answer
 */

/**
 * Which messages a list is of; an empty word stands for any.
 * @typedef {{q: string, platform: string, conversation: string, status: string, message_type: string, sender: string, since: string, until: string}} Query
 */

/**
 * A view that is shown; `close` ends what it follows, `go` follows an address within the view.
 * @typedef {{element: HTMLElement, close: () => void, go?: (parameters: URLSearchParams) => void}} View
 */

export {};
