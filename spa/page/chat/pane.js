import { Refused, editMessage } from '../api.js';
import { oneUpToDate } from '../changes.js';
import { lineOf, segmentsOf, textOf } from '../content.js';
import { fill, h } from '../dom.js';
import { errorText } from '../errors.js';
import { author } from '../format.js';
import { t } from '../i18n.js';
import { isPrivate, nameOfConversation } from '../names.js';
import { toast } from '../toast.js';
import { MessageActions, canEdit, refusesEdits } from './actions.js';
import { isHere } from './blob.js';
import { Composer } from './composer.js';
import { Finder } from './finder.js';
import { conversationHead } from './head.js';
import { Highlights } from './highlight.js';
import { everybody } from './mentions.js';
import { takeDropped } from './drop.js';
import { NewestButton } from './newest-button.js';
import { People, openPeople } from './people.js';
import { PointedMessage } from './pointed-message.js';
import { closePopup } from './popup.js';
import { ReadMarks, isLookedAt } from './read-marks.js';
import { readingPlaces } from './reading-places.js';
import { chatRow, surroundings } from './row.js';
import { Scroller } from './scroller.js';
import { Selection } from './selection.js';
import { Timeline, isMessage } from './timeline.js';
import { viewPicturesOf } from './viewer.js';

/** @typedef {import('../types.js').Message} Message */
/** @typedef {import('../types.js').Conversation} Conversation */
/** @typedef {import('./timeline.js').Row} Row */

/** Rows before an end of what is loaded at which more is loaded. */
const LOAD_AHEAD = 20;

/** How long a message that was jumped to stays marked, in milliseconds. */
const MARKED_FOR = 1600;

/** One conversation: its messages, and where one writes. */
export class Pane {
  /** @type {(() => void)[]} */
  #ends = [];
  #isClosed = false;

  /**
   * @param {import('../feed.js').Feed} feed
   * @param {Conversation} entry
   * @param {typeof import('./outgoing.js').outgoing} outgoing
   * @param {() => void} back
   */
  constructor(feed, entry, outgoing, back) {
    this.feed = feed;
    this.entry = entry;
    this.outgoing = outgoing;
    const { platform, conversation } = entry;
    this.isPrivate = isPrivate(entry);
    this.timeline = new Timeline(feed, platform, conversation);
    this.people = new People(entry);
    this.actions = new MessageActions({
      reply: (message) => this.composer.reply(message),
      edit: (message) => this.composer.edit(message),
      select: (message) => this.selection.toggle(message),
      unread: (message) => this.#keepUnread(message),
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
      drop: (/** @type {Message} */ message) => void outgoing.drop(message.id),
      takeBack: (/** @type {Message} */ message) => this.composer.take(textOf(outgoing.drop(message.id) ?? message)),
      progress: (/** @type {string} */ id) => outgoing.progress(id),
      isSelected: (/** @type {string} */ id) => this.selection.has(id),
    };
    this.selection = new Selection(feed, outgoing, () => this.#selected());
    this.highlights = new Highlights();
    this.finder = new Finder(feed, entry, {
      show: (id) => void this.jump(id, false),
      mark: (query) => this.mark(query),
      closed: () => this.composer.focus(),
    });
    const context = () => Object.assign(around, { firstUnread: this.timeline.firstUnread });
    this.scroller = new Scroller({
      label: t('messagesIn', { name: nameOfConversation(entry) }),
      key: (/** @type {Row} */ row, before) => JSON.stringify([surroundings(row, before, this.timeline.firstUnread), outgoing.progress(row.id), this.selection.has(row.id)]),
      row: (row, before, old) => chatRow(row, before, old, context()),
      scrolled: () => this.#scrolled(),
    });
    this.composer = new Composer(entry, {
      people: () => this.#people(),
      send: (segments, files, reply) => this.#send(segments, files, reply),
      edit: (message, segments) => this.#edit(message, segments),
      editLast: () => this.editLast(),
      leave: () => this.pointed.step(-1),
    });
    this.state = h('div', { class: 'pane-state' });
    this.head = conversationHead(feed, entry, { back, search: () => this.finder.open(), people: (beside) => this.#openPeople(beside) });
    this.spoken = h('div', { class: 'unseen', 'aria-live': 'polite' });
    this.down = new NewestButton(() => void this.toNewest());
    this.element = h(
      'section',
      {
        class: 'pane',
        'aria-label': nameOfConversation(entry),
      },
      this.head.element,
      this.finder.element,
      h('div', { class: 'pane-body' }, this.scroller.element, this.state, this.down.element),
      this.spoken,
      this.head.away,
      this.selection.element,
      this.composer.element,
    );
    this.pointed = new PointedMessage(this);
    this.marks = new ReadMarks(this);
    viewPicturesOf(() => this.timeline.rows.flatMap((row) => (isMessage(row) ? segmentsOf(row).filter((segment) => segment.type === 'image' && isHere(segment)) : [])));
    this.#follow();
  }

  #follow() {
    this.#ends.push(
      this.timeline.changed.watch(() => this.#draw()),
      this.timeline.arrived.watch((messages) => this.#arrived(messages)),
      this.outgoing.changed.watch(() => this.#draw()),
      this.outgoing.taken.watch((taken) => taken && this.#taken(taken.message)),
      this.feed.conversations.changed.watch(() => {
        const { platform, conversation } = this.entry;
        this.entry = this.feed.conversations.get(platform, conversation) ?? this.entry;
      }),
      takeDropped((files) => this.composer.attach(files)),
    );
  }

  close() {
    this.#keepPlace();
    this.#isClosed = true;
    closePopup();
    this.marks.close();
    for (const end of this.#ends) end();
    this.head.close();
    this.timeline.close();
    this.scroller.close();
    this.finder.end();
    this.highlights.mark('');
    this.composer.close();
  }

  /** Opens at a message, at the first unread one, where it was left, or at the end. @param {string} [target] */
  async open(target) {
    this.feed.conversations.keptUnread.delete(this.composer.key);
    if (target) {
      await this.jump(target);
      return;
    }
    const { platform, conversation } = this.entry;
    const place = readingPlaces.get(this.composer.key);
    await this.feed.subscribed();
    const unread = this.feed.conversations.askFor(platform, conversation).then((entry) => entry?.unread ?? 0);
    const isBack = place !== undefined && (await unread) === 0 && (await this.timeline.around(place.id));
    if (!isBack) await this.timeline.open(unread);
    if (this.#isClosed) return;
    this.#draw();
    const { firstUnread } = this.timeline;
    if (isBack) this.scroller.reveal(place.id, place.top);
    else if (firstUnread) this.scroller.reveal(firstUnread, 'start');
    else this.scroller.toEnd();
    this.#scrolled();
  }

  /** Remembers where one is reading, for the next time. */
  #keepPlace() {
    const { place } = this.scroller;
    if (place) readingPlaces.set(this.composer.key, place);
    else readingPlaces.delete(this.composer.key);
  }

  /** Marks a text in the messages. @param {string} query */
  mark(query) {
    this.highlights.mark(query);
    this.highlights.update(this.scroller.element);
  }

  /** Shows a message, wherever in the history it is. @param {string} id @param {boolean} [takesFocus] */
  async jump(id, takesFocus = true) {
    const isThere = await this.timeline.around(id);
    if (this.#isClosed) return;
    if (!isThere) {
      toast(t('messageGone'), 'bad');
      if (this.timeline.rows.length === 0) await this.open();
      return;
    }
    this.#draw();
    const row = this.scroller.reveal(id);
    const message = /** @type {HTMLElement | undefined | null} */ (row?.querySelector('.message'));
    if (!message) return;
    message.classList.add('marked');
    if (takesFocus) message.focus({ preventScroll: true });
    setTimeout(() => message.classList.remove('marked'), MARKED_FOR);
  }

  /** Answers the message that is pointed at, or the last one. */
  reply() {
    const message = this.pointed.current();
    if (message) this.composer.reply(message);
  }

  /** Edits the message that is pointed at, where it is an own one, else the last own one. */
  edit() {
    const message = this.pointed.current();
    if (message && canEdit(message)) this.composer.edit(message);
    else this.editLast();
  }

  editLast() {
    const message = this.timeline.rows.findLast((row) => isMessage(row) && canEdit(row));
    if (message && isMessage(message)) this.composer.edit(message);
  }

  react() {
    const message = this.pointed.current();
    const row = message && this.scroller.row(message.id);
    if (message && row) this.actions.pickReaction(row, message);
  }

  #draw() {
    const { timeline } = this;
    const { platform, conversation } = this.entry;
    const outgoing = timeline.hasNewer ? [] : this.outgoing.of(platform, conversation);
    this.scroller.show([...timeline.rows, ...outgoing]);
    fill(this.state, this.#stateOf());
    this.state.classList.toggle('above', timeline.rows.length > 0);
    this.#drawDown();
  }

  #stateOf() {
    const { error, isLoading, rows } = this.timeline;
    if (error) return h('div', { class: 'problem', role: 'alert' }, errorText(error), ' ', h('button', { onclick: () => void this.timeline.again() }, t('tryAgain')));
    if (rows.length > 0) return null;
    return h('div', { class: 'muted' }, isLoading ? t('loading') : t('nothingSaid'));
  }

  #drawDown() {
    const { hasNewer, rows } = this.timeline;
    this.down.draw(this.scroller.isAtEnd && !hasNewer, rows.length === 0, hasNewer ? this.entry.unread ?? 0 : 0);
  }

  async toNewest() {
    if (this.timeline.hasNewer) await this.timeline.latest();
    if (this.#isClosed) return;
    this.scroller.toEnd();
    this.#scrolled();
  }

  #scrolled() {
    const { first, last } = this.scroller.range;
    const { timeline } = this;
    if (!timeline.error && first >= 0 && first < LOAD_AHEAD) void timeline.older();
    if (!timeline.error && last > timeline.rows.length - LOAD_AHEAD) void timeline.newer();
    this.highlights.update(this.scroller.element);
    this.#drawDown();
    this.marks.soon();
  }

  /** @param {Message[]} messages */
  #arrived(messages) {
    const inbound = messages.filter((message) => message.direction === 'Inbound');
    const [first] = inbound;
    if (first && !isLookedAt() && this.entry.unread === inbound.length) this.timeline.firstUnread = first.id;
    if (!this.scroller.isAtEnd || this.timeline.hasNewer) this.down.add(inbound.length);
    const said = inbound.slice(-3).map((message) => `${author(message)}: ${lineOf(message)}`);
    if (said.length > 0) this.spoken.textContent = said.join('\n');
    this.#drawDown();
    this.marks.soon();
  }

  /** Those who can be mentioned: who wrote last comes first. */
  #people() {
    this.people.learn(this.timeline.rows.filter(isMessage));
    // Earlier authors are known the next time; the others can be mentioned at once.
    this.people.load().catch(() => {});
    return this.isPrivate ? this.people.all : [...this.people.all, everybody()];
  }

  /** @param {HTMLElement} beside */
  #openPeople(beside) {
    this.people.learn(this.timeline.rows.filter(isMessage));
    openPeople(beside, this.people, (one) => {
      closePopup();
      this.composer.mention(one);
    });
  }

  /**
   * @param {import('../types.js').Segment[]} segments
   * @param {File[]} files
   * @param {Message['reply_to']} reply
   */
  #send(segments, files, reply) {
    // Pictures go with the text; platforms take other files one by one.
    const pictures = files.filter((file) => file.type.startsWith('image/'));
    const isAlone = segments.length === 0 && pictures.length === 0;
    const others = files.filter((file) => !pictures.includes(file));
    others.forEach((file, at) => this.outgoing.send(this.entry, [], [file], isAlone && at === 0 ? reply : undefined));
    if (segments.length > 0 || pictures.length > 0) this.outgoing.send(this.entry, segments, pictures, reply);
    void this.toNewest();
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
      return true;
    } catch (error) {
      if (error instanceof Refused && error.code === 'unsupported') refusesEdits(message);
      toast(errorText(error), 'bad');
      return false;
    }
  }

  /** @param {Message} message */
  #keepUnread(message) {
    this.feed.conversations.unreadFrom(this.entry, message.id);
    this.timeline.firstUnread = message.id;
    this.#draw();
  }

  /** While messages are chosen, what can be done with them is in place of the field. */
  #selected() {
    const { isActive } = this.selection;
    this.element.classList.toggle('selecting', isActive);
    this.composer.element.hidden = isActive;
    this.#draw();
  }
}
