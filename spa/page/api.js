import { Signal } from './signal.js';

const TOKEN = 'rechat.token';

/** Whether the server wants a token that we do not have. */
export const isLocked = new Signal(false);

/** Why a request was not answered as wished; `status` is 0 where the server could not be reached. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {string} text
   * @param {{code?: string, detail?: string}} [told] stable name of the reason, and what a platform or host said
   */
  constructor(status, text, told = {}) {
    super(text);
    this.status = status;
    this.code = told.code;
    this.detail = told.detail;
  }
}

/** Where the browser keeps nothing, the token lasts as long as the page. */
let unkept = '';

/** The token of this tab or of this browser, or an empty text. */
export function token() {
  try {
    return sessionStorage.getItem(TOKEN) ?? localStorage.getItem(TOKEN) ?? unkept;
  } catch {
    return unkept;
  }
}

/**
 * Keeps a token for as long as the tab lives, or until one signs out; an empty one is forgotten.
 * @param {string} value
 * @param {boolean} [stays]
 */
export function setToken(value, stays = false) {
  unkept = value;
  try {
    sessionStorage.removeItem(TOKEN);
    localStorage.removeItem(TOKEN);
    if (value) (stays ? localStorage : sessionStorage).setItem(TOKEN, value);
  } catch {
    // It then lasts as long as the page.
  }
}

/**
 * An address of this server, wherever below its host the page is.
 * @param {string} path
 */
export function address(path) {
  return new URL(path, document.baseURI.split('#')[0]);
}

/**
 * The same as a WebSocket's address.
 * @param {string} path
 */
export function socketAddress(path) {
  const url = address(path);
  url.protocol = url.protocol.replace('http', 'ws');
  return url;
}

/**
 * The first request, which `early.js` made, until somebody asks for the same.
 * @type {{path: string, answer: Promise<{response: Response, body: any}>} | undefined}
 */
let firstRequest = /** @type {any} */ (globalThis).firstRequest;

/** @param {string} path */
function takeFirst(path) {
  if (firstRequest?.path !== path) return undefined;
  const { answer } = firstRequest;
  firstRequest = undefined;
  return answer;
}

/**
 * Asks the server; whatever is no success is thrown as `Refused`.
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<any>}
 */
export async function ask(path, options = {}) {
  const headers = new Headers(options.headers);
  if (token()) headers.set('authorization', `Bearer ${token()}`);
  let told;
  try {
    told = await (takeFirst(path) ?? request(path, { ...options, headers, cache: 'no-store' }));
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Refused(0, 'unreachable');
  }
  const { response: answer, body } = told;
  if (answer.status === 401 && !isLocked.value) isLocked.value = true;
  if (!answer.ok) throw new Refused(answer.status, body.error ?? '', body);
  return body;
}

/**
 * @param {string} path
 * @param {RequestInit} options
 * @returns {Promise<{response: Response, body: any}>}
 */
async function request(path, options) {
  const response = await fetch(address(path), options);
  return { response, body: await response.json().catch(() => ({})) };
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} body
 * @param {Record<string, string>} [headers]
 * @param {AbortSignal} [signal]
 */
export function tell(method, path, body, headers = {}, signal) {
  const fields = { ...headers, 'content-type': 'application/json' };
  return ask(path, { method, body: JSON.stringify(body), headers: fields, signal: signal ?? null });
}

/**
 * The path with those parameters that say something.
 * @param {string} path
 * @param {Record<string, string | number | undefined>} parameters
 */
export function withQuery(path, parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '') query.set(name, String(value));
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

/**
 * Signs in by a code, which is good once.
 * @param {string} code
 */
export async function signInBy(code) {
  const answer = await tell('POST', 'api/sign-in', { code });
  setToken(answer.token);
}

/** @param {string} id */
const pathOf = (id) => `api/messages/${encodeURIComponent(id)}`;

/** @param {string} id @returns {Promise<import('./types.js').Message>} */
export const getMessage = (id) => ask(pathOf(id));

/** Sees to it that a message is not sent, where it is not on its way. @param {string} id @returns {Promise<import('./types.js').Message>} */
export const cancelMessage = (id) =>
  tell('PATCH', pathOf(id), { status: 'Canceled', if_status: ['Pending', 'Failed', 'Canceled'] });

/** Sends a message again that was given up or canceled. @param {string} id @returns {Promise<import('./types.js').Message>} */
export const retryMessage = (id) =>
  tell('PATCH', pathOf(id), { status: 'Pending', if_status: ['Failed', 'Canceled'] });

/**
 * @param {string} id
 * @param {{content?: string, segments?: import('./types.js').Segment[]}} content
 * @returns {Promise<import('./types.js').Message>}
 */
export const editMessage = (id, content) => tell('PATCH', pathOf(id), content);

/** Takes a sent message back on its platform. @param {string} id @returns {Promise<import('./types.js').Message>} */
export const recallMessage = (id) => ask(`${pathOf(id)}/recall`, { method: 'POST' });

/**
 * Sets our reaction, or takes it back.
 * @param {string} id
 * @param {string} emoji
 * @param {boolean} isSet
 */
export const react = (id, emoji, isSet) =>
  ask(`${pathOf(id)}/reactions/${encodeURIComponent(emoji)}`, { method: isSet ? 'PUT' : 'DELETE' });

/** Has the server fetch the media of a message. @param {string} id */
export const fetchMedia = (id) => ask(`${pathOf(id)}/media`, { method: 'POST' });

/**
 * The messages of a forward that a message tells without them.
 * @param {string} id
 * @param {string} [forward] the platform's ID of it
 * @returns {Promise<{items: NonNullable<import('./types.js').Segment['items']>}>}
 */
export const openForward = (id, forward) => ask(withQuery(`${pathOf(id)}/forward`, { forward }));

/** Friend and join requests, the newest first. @returns {Promise<{requests: import('./types.js').ContactRequest[]}>} */
export const getRequests = () => ask('api/requests');

/**
 * Approves a request, or refuses it.
 * @param {number} id
 * @param {boolean} approve
 * @returns {Promise<import('./types.js').ContactRequest>}
 */
export const answerRequest = (id, approve) => tell('POST', `api/requests/${id}`, { approve });

/** @param {string} platform @param {string} conversation */
export const conversationPath = (platform, conversation) => `api/conversations/${encodeURIComponent(platform)}/${encodeURIComponent(conversation)}`;

/**
 * Changes what the store keeps of a conversation: its read mark, muted, pinned.
 * @typedef {{read_to?: string | number, unread_from?: string, muted?: boolean, pinned?: boolean}} ConversationChange
 * @param {Pick<import('./types.js').Conversation, 'platform' | 'conversation'>} of
 * @param {ConversationChange} change
 * @returns {Promise<import('./types.js').Conversation>}
 */
export const changeConversation = ({ platform, conversation }, change) =>
  tell('PATCH', conversationPath(platform, conversation), change);

/** @param {string} id */
export const deleteMessage = (id) => ask(pathOf(id), { method: 'DELETE' });
