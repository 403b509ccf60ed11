import { ask, isLocked, socketAddress, token } from './api.js';

/** The pauses between attempts to connect, in milliseconds; the last one stays. */
const PAUSES = [250, 500, 1000, 2000, 4000, 8000, 15000];

/** How often the server is asked whether it is still there, and how long it may take. */
const PING_INTERVAL = 25_000;
const PONG_TIMEOUT = 10_000;

/** Events that are asked for beside new messages. */
const EVENTS = ['message_status', 'message_updated', 'message_deleted', 'notice', 'conversation_updated'];

/**
 * The connection to `/ws/client`: made again whenever it breaks, and subscribed to everything that
 * happened after the last event.
 */
export class Socket {
  /** @type {WebSocket | undefined} */
  #socket;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #late;
  /** Where the last event stands. @type {string | undefined} */
  #cursor;
  #attempts = 0;
  #isClosed = false;

  /**
   * @param {object} by
   * @param {() => void} by.replaced called where the server does not know that place
   * @param {() => void} by.subscribed
   * @param {(event: any) => void} by.event
   * @param {() => void} by.lost
   */
  constructor(by) {
    this.by = by;
    this.alive = setInterval(() => this.#check(), PING_INTERVAL);
    addEventListener('online', this.#hurry);
    document.addEventListener('visibilitychange', this.#hurry);
    this.#connect();
  }

  close() {
    this.#isClosed = true;
    clearInterval(this.alive);
    clearTimeout(this.#timer);
    clearTimeout(this.#late);
    removeEventListener('online', this.#hurry);
    document.removeEventListener('visibilitychange', this.#hurry);
    this.#socket?.close();
  }

  /** The network or the person is back: look at once. */
  #hurry = () => {
    if (document.hidden || this.#isClosed) return;
    if (this.#socket?.readyState === WebSocket.OPEN) this.#check();
    else if (this.#timer) this.#connect();
  };

  #connect() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const url = socketAddress('ws/client');
    if (token()) url.searchParams.set('access_token', token());
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.onopen = () => this.#subscribe();
    socket.onmessage = (message) => this.#take(JSON.parse(message.data));
    socket.onclose = () => this.#lost(socket);
  }

  #subscribe() {
    const command = { type: 'subscribe', events: EVENTS, request_id: 'subscribe', cursor: this.#cursor };
    this.#socket?.send(JSON.stringify(command));
  }

  /** Subscribing again changes nothing, and is answered: who does not answer is gone. */
  #check() {
    if (this.#socket?.readyState !== WebSocket.OPEN || this.#late) return;
    this.#socket.send(JSON.stringify({ type: 'subscribe', request_id: 'alive' }));
    const socket = this.#socket;
    this.#late = setTimeout(() => {
      socket.close();
      this.#lost(socket);
    }, PONG_TIMEOUT);
  }

  /** @param {any} event */
  #take(event) {
    clearTimeout(this.#late);
    this.#late = undefined;
    const isAnswer = event.request_id === 'subscribe';
    if (event.cursor && (event.type !== 'ack' || isAnswer)) this.#cursor = event.cursor;
    if (event.type === 'ack' && isAnswer) {
      this.#attempts = 0;
      this.by.subscribed();
    } else if (event.code === 'cursor_gone' || (event.type === 'error' && isAnswer && this.#cursor)) {
      this.#cursor = undefined;
      this.by.replaced();
      this.#subscribe();
    } else if (event.type !== 'ack') {
      this.by.event(event);
    }
  }

  /** @param {WebSocket} socket */
  #lost(socket) {
    if (socket !== this.#socket || this.#isClosed) return;
    this.#socket = undefined;
    clearTimeout(this.#late);
    this.#late = undefined;
    this.by.lost();
    const pause = PAUSES[Math.min(this.#attempts, PAUSES.length - 1)] ?? 0;
    this.#attempts += 1;
    this.#timer = setTimeout(() => this.#connect(), pause * (0.75 + Math.random() / 2));
    // A browser does not say why a WebSocket was refused; a request does.
    if (!isLocked.value) ask('api/stats').catch(() => {});
  }
}
