import { editMessage } from '../api.js';
import { oneUpToDate } from '../changes.js';
import { lineOf } from '../content.js';
import { fill, h } from '../dom.js';
import { errorText } from '../errors.js';
import { author } from '../format.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { isPrivate, nameOfConversation } from '../names.js';
import { toast } from '../toast.js';
import { MessageActions, canEdit } from './actions.js';
import { Composer } from './composer.js';
import { conversationHead } from './head.js';
import { everybody } from './mentions.js';
import { closePopup } from './popup.js';
import { chatRow, surroundings } from './row.js';
import { Scroller } from './scroller.js';
import { Timeline, isMessage } from './timeline.js';

/** @typedef {import('../types.js').Message} Message */
/** @typedef {import('../types.js').Conversation} Conversation */
/** @typedef {import('./timeline.js').Row} Row */

/** Rows before an end of what is loaded at which more is loaded. */
const AHEAD = 20;

/** How long the reading place rests before it is told, in milliseconds. */
const READ_AFTER = 400;

/** How long a message that was jumped to stays marked, in milliseconds. */
const MARKED = 1600;

/** Whether the page is visible and has the focus. */
const isLookedAt = () => !document.hidden && document.hasFocus();

/** One conversation: its messages, and where one writes. */
export class Pane {
  /** @type {(() => void)[]} */
  #ends = [];
  /** Messages that came below what is seen. */
  #behind = 0;
  /** How many the button to the newest one tells. */
  #told = -1;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #reading;
  #isClosed = false;

  /**
   * @param {import('../feed.js').Feed} feed
   * @param {Conversation} entry
   * @param {import('./outgoing.js').OutgoingQueue} outgoing
   * @param {() => void} back
   */
  constructor(feed, entry, outgoing, back) {
    this.feed = feed;
    this.entry = entry;
    this.outgoing = outgoing;
    const { platform, conversation } = entry;
    this.isPrivate = isPrivate(entry);
    this.timeline = new Timeline(feed, platform, conversation);
    this.actions = new MessageActions({
      reply: (message) => this.composer.reply(message),
      edit: (message) => this.composer.edit(message),
      told: (message) => this.timeline.update({ platform, ...message }),
      outgoing,
      feed,
    });
    const around = {
      isPrivate: this.isPrivate,
      firstUnread: '',
      jump: (/** @type {string} */ id) => void this.jump(id),
      react: (/** @type {Message} */ message, /** @type {string} */ emoji, /** @type {boolean} */ isSet) => void this.actions.react(message, emoji, isSet),
      retry: (/** @type {Message} */ message) => this.actions.retry(message),
      progress: (/** @type {string} */ id) => outgoing.progress(id),
    };
    const context = () => Object.assign(around, { firstUnread: this.timeline.firstUnread });
    this.scroller = new Scroller({
      label: t('messagesIn', { name: nameOfConversation(entry) }),
      key: (/** @type {Row} */ row, before) => JSON.stringify([surroundings(row, before, this.timeline.firstUnread), outgoing.progress(row.id)]),
      row: (row, before, old) => chatRow(row, before, old, context()),
      scrolled: () => this.#scrolled(),
    });
    this.composer = new Composer(entry, {
      people: () => this.#people(),
      send: (segments, files, reply) => this.#send(segments, files, reply),
      edit: (message, segments) => void this.#edit(message, segments),
      editLast: () => this.editLast(),
    });
    this.state = h('div', { class: 'pane-state' });
    this.head = conversationHead(feed, entry, back);
    this.spoken = h('div', { class: 'unseen', 'aria-live': 'polite' });
    this.down = h('button', { class: 'down', hidden: true, onclick: () => void this.#toNewest() });
    this.element = h(
      'section',
      {
        class: 'pane',
        'aria-label': nameOfConversation(entry),
        ondragover: (/** @type {DragEvent} */ event) => event.preventDefault(),
        ondrop: (/** @type {DragEvent} */ event) => this.#dropped(event),
      },
      this.head.element,
      h('div', { class: 'pane-body' }, this.scroller.element, this.state, this.down),
      this.spoken,
      this.head.away,
      this.composer.element,
    );
    this.scroller.element.addEventListener('mouseover', (event) => this.#point(event));
    this.scroller.element.addEventListener('focusin', (event) => this.#point(event));
    this.scroller.element.addEventListener('keydown', (event) => this.#key(event));
    this.#follow();
  }

  #follow() {
    const look = () => this.#readSoon();
    addEventListener('focus', look);
    this.#ends.push(
      this.timeline.changed.watch(() => this.#draw()),
      this.timeline.arrived.watch((messages) => this.#arrived(messages)),
      this.outgoing.changed.watch(() => this.#draw()),
      this.outgoing.taken.watch((taken) => taken && this.#taken(taken.message)),
      this.feed.conversations.changed.watch(() => {
        const { platform, conversation } = this.entry;
        this.entry = this.feed.conversations.get(platform, conversation) ?? this.entry;
      }),
      () => removeEventListener('focus', look),
    );
  }

  close() {
    this.#isClosed = true;
    closePopup();
    clearTimeout(this.#reading);
    for (const end of this.#ends) end();
    this.head.close();
    this.timeline.close();
    this.scroller.close();
    this.composer.close();
  }

  /** Opens at a message, at the first unread one, or at the end. @param {string} [target] */
  async open(target) {
    if (target) {
      await this.jump(target);
      return;
    }
    const { platform, conversation } = this.entry;
    await this.feed.subscribed();
    await this.timeline.open(this.feed.conversations.askFor(platform, conversation).then((entry) => entry?.unread ?? 0));
    if (this.#isClosed) return;
    this.#draw();
    const { firstUnread } = this.timeline;
    if (firstUnread) this.scroller.reveal(firstUnread, 'start');
    else this.scroller.toEnd();
    this.#scrolled();
  }

  /** Shows a message, wherever in the history it is. @param {string} id */
  async jump(id) {
    await this.timeline.around(id);
    if (this.#isClosed) return;
    this.#draw();
    const row = this.scroller.reveal(id);
    const message = /** @type {HTMLElement | undefined | null} */ (row?.querySelector('.message'));
    if (!message) return;
    message.classList.add('marked');
    message.focus({ preventScroll: true });
    setTimeout(() => message.classList.remove('marked'), MARKED);
  }

  /** Answers the message that is pointed at, or the last one. */
  reply() {
    const message = this.#current();
    if (message) this.composer.reply(message);
  }

  /** Edits the message that is pointed at, where it is an own one, else the last own one. */
  edit() {
    const message = this.#current();
    if (message && canEdit(message)) this.composer.edit(message);
    else this.editLast();
  }

  editLast() {
    const message = this.timeline.rows.findLast((row) => isMessage(row) && canEdit(row));
    if (message && isMessage(message)) this.composer.edit(message);
  }

  react() {
    const message = this.#current();
    const row = message && this.scroller.row(message.id);
    if (message && row) this.actions.pickReaction(row, message);
  }

  /** The message that has the focus or is pointed at, else the last one. */
  #current() {
    const { message, toolbar } = this.actions;
    if (message && toolbar.isConnected && toolbar.closest('.message')?.matches(':hover, :focus-within')) return message;
    const last = this.timeline.rows.findLast(isMessage);
    return last && isMessage(last) ? last : undefined;
  }

  #draw() {
    const { timeline } = this;
    const { platform, conversation } = this.entry;
    const outgoing = timeline.hasNewer ? [] : this.outgoing.of(platform, conversation);
    this.scroller.show([...timeline.rows, ...outgoing]);
    fill(this.state, this.#stateOf());
    this.#drawDown();
  }

  #stateOf() {
    const { error, isLoading, rows } = this.timeline;
    if (error) return h('div', { class: 'problem', role: 'alert' }, errorText(error), ' ', h('button', { onclick: () => void this.timeline.latest() }, t('tryAgain')));
    if (rows.length > 0) return null;
    return h('div', { class: 'muted' }, isLoading ? t('loading') : t('nothingSaid'));
  }

  #drawDown() {
    const isAtEnd = this.scroller.isAtEnd && !this.timeline.hasNewer;
    if (isAtEnd) this.#behind = 0;
    this.down.hidden = isAtEnd || this.timeline.rows.length === 0;
    const n = Math.max(this.#behind, this.timeline.hasNewer ? this.entry.unread ?? 0 : 0);
    if (n === this.#told) return;
    this.#told = n;
    fill(this.down, icon('down'), n > 0 ? t('newMessages', { n }) : h('span', { class: 'unseen' }, t('toNewest')));
  }

  async #toNewest() {
    if (this.timeline.hasNewer) await this.timeline.latest();
    if (this.#isClosed) return;
    this.scroller.toEnd();
    this.#scrolled();
  }

  #scrolled() {
    const { first, last } = this.scroller.range;
    const { timeline } = this;
    if (!timeline.error && first >= 0 && first < AHEAD) void timeline.older();
    if (!timeline.error && last > timeline.rows.length - AHEAD) void timeline.newer();
    this.#drawDown();
    this.#readSoon();
  }

  /** @param {Message[]} messages */
  #arrived(messages) {
    const inbound = messages.filter((message) => message.direction === 'Inbound');
    const [first] = inbound;
    if (first && !isLookedAt() && this.entry.unread === inbound.length) this.timeline.firstUnread = first.id;
    if (!this.scroller.isAtEnd || this.timeline.hasNewer) this.#behind += inbound.length;
    const said = inbound.slice(-3).map((message) => `${author(message)}: ${lineOf(message)}`);
    if (said.length > 0) this.spoken.textContent = said.join('\n');
    this.#drawDown();
    this.#readSoon();
  }

  #readSoon() {
    this.#reading ??= setTimeout(() => {
      this.#reading = undefined;
      this.#read();
    }, READ_AFTER);
  }

  /** Tells the server how far the conversation is read: as far as it was seen. */
  #read() {
    if (!this.entry.unread || !isLookedAt() || !this.element.isConnected) return;
    const { rows, hasNewer, firstUnread } = this.timeline;
    const { last } = this.scroller.range;
    if (last >= rows.length - 1 && !hasNewer) {
      this.feed.conversations.read(this.entry);
      return;
    }
    const seen = rows.slice(0, last + 1).findLast(isMessage);
    const isBeyond = firstUnread !== '' && rows.findIndex((row) => row.id === firstUnread) <= last;
    if (seen && isBeyond && rows.some((row) => row.id === firstUnread)) this.feed.conversations.read(this.entry, seen.id);
  }

  /** Those who spoke here, the last one first. */
  #people() {
    const people = new Map();
    for (const row of this.timeline.rows.toReversed()) {
      if (isMessage(row) && row.direction === 'Inbound' && row.sender && !people.has(row.sender.id)) people.set(row.sender.id, { id: row.sender.id, name: author(row) });
    }
    return this.isPrivate ? [...people.values()] : [...people.values(), everybody()];
  }

  /**
   * @param {import('../types.js').Segment[]} segments
   * @param {File[]} files
   * @param {Message['reply_to']} reply
   */
  #send(segments, files, reply) {
    // Pictures go with the text; platforms take other files one by one.
    const pictures = files.filter((file) => file.type.startsWith('image/'));
    for (const file of files) if (!pictures.includes(file)) this.outgoing.send(this.entry, [], [file], undefined);
    if (segments.length > 0 || pictures.length > 0) this.outgoing.send(this.entry, segments, pictures, reply);
    void this.#toNewest();
  }

  /** @param {Message} message */
  #taken(message) {
    const { platform, conversation } = this.entry;
    if (message.recipient === conversation && (message.platform ?? 'local') === platform) this.timeline.add(message);
  }

  /**
   * @param {Message} message
   * @param {import('../types.js').Segment[]} segments
   */
  async #edit(message, segments) {
    const [only] = segments;
    const content = segments.length === 1 && only?.type === 'text' ? { content: only.text ?? '' } : { segments };
    try {
      this.timeline.update({ platform: message.platform, ...(await oneUpToDate(this.feed, editMessage(message.id, content))) });
    } catch (error) {
      toast(errorText(error), 'bad');
    }
  }

  /** @param {DragEvent} event */
  #dropped(event) {
    event.preventDefault();
    this.composer.attach(event.dataTransfer?.files ?? []);
  }

  /** Puts the actions at the message that is pointed at. @param {Event} event */
  #point(event) {
    const row = /** @type {HTMLElement} */ (event.target).closest('.entry');
    const item = row instanceof HTMLElement ? this.timeline.find(row.dataset.id) : undefined;
    if (item && isMessage(item) && row instanceof HTMLElement) this.actions.place(row, item);
  }

  /** Arrows go from message to message. @param {KeyboardEvent} event */
  #key(event) {
    const row = /** @type {HTMLElement} */ (event.target).closest('.entry');
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'Enter' && event.target instanceof HTMLElement && event.target.matches('.message')) {
      const message = this.#current();
      if (message) this.actions.open(event.target, message);
    } else if (by) {
      const { rows } = this.timeline;
      const at = row instanceof HTMLElement ? rows.findIndex(({ id }) => id === row.dataset.id) : rows.length;
      const wanted = rows[at + by];
      const target = wanted && this.scroller.reveal(wanted.id, 'nearest');
      /** @type {HTMLElement | null | undefined} */ (target?.querySelector('.message'))?.focus({ preventScroll: true });
      event.preventDefault();
    } else if (event.key === 'Escape') {
      this.composer.focus();
    }
  }
}
