// Actions on a message.

import { cancelMessage, deleteMessage, react, recallMessage, retryMessage } from '../api.js';
import { oneUpToDate } from '../changes.js';
import { copy } from '../clipboard.js';
import { textOf } from '../content.js';
import { h } from '../dom.js';
import { errorText } from '../errors.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { link } from '../router.js';
import { toast } from '../toast.js';
import { askFirst } from './ask-first.js';
import { QUICK, pickEmoji } from './emoji.js';
import { isOutgoing } from './outgoing.js';
import { eachAlone, passOn } from './pass-on.js';
import { closePopup, menu, openPopup } from './popup.js';

/** @typedef {import('../types.js').Message} Message */

/** @param {Message} message */
const isOwn = (message) => message.direction !== 'Inbound';

/** Platforms that have refused an edit because they know none. @type {Set<string | undefined>} */
const withoutEdits = new Set();

/** Notes that a message's platform knows no edits. @param {Message} message */
export const refusesEdits = ({ platform }) => void withoutEdits.add(platform);

/** @param {Message} message */
export const canEdit = (message) => isOwn(message) && !isOutgoing(message) && !message.recalled_at && message.status !== 'Canceled' && !(message.status === 'Sent' && withoutEdits.has(message.platform));

/** The actions on messages of one conversation. */
export class MessageActions {
  /**
   * @param {object} by
   * @param {(message: Message) => void} by.reply
   * @param {(message: Message) => void} by.edit
   * @param {(message: Message) => void} by.select
   * @param {(message: Message) => void} by.unread counts it and those after it as unread
   * @param {(message: Message) => void} by.told takes a message as the server has told it
   * @param {typeof import('./outgoing.js').outgoing} by.outgoing
   * @param {import('../feed.js').Feed} by.feed
   */
  constructor(by) {
    this.by = by;
    /** @type {Message | undefined} */
    this.message = undefined;
    const button = (/** @type {import('../i18n.js').Word} */ name, /** @type {Parameters<typeof icon>[0]} */ picture, /** @type {string} */ key, /** @type {(button: HTMLElement, message: Message) => void} */ run) => {
      const made = h('button', { class: 'plain', 'aria-label': t(name), title: `${t(name)}${key}`, onclick: () => this.message && run(made, this.message) }, icon(picture));
      return made;
    };
    this.toolbar = h(
      'div',
      { class: 'tools', role: 'toolbar', 'aria-label': t('actions') },
      button('react', 'smile', ' (+)', (beside, message) => this.pickReaction(beside, message)),
      button('reply', 'reply', ' (r)', (_, message) => this.by.reply(message)),
      button('more', 'more', '', (beside, message) => this.open(beside, message)),
    );
  }

  /**
   * Puts the toolbar at a message.
   * @param {HTMLElement} row
   * @param {Message} message
   */
  place(row, message) {
    this.message = message;
    const bubble = row.querySelector('.bubble');
    if (bubble && this.toolbar.parentElement !== bubble && !isOutgoing(message)) bubble.append(this.toolbar);
  }

  /**
   * @param {HTMLElement} beside
   * @param {Message} message
   */
  open(beside, message) {
    const { id, status } = message;
    const own = isOwn(message);
    const open = own && status === 'Pending';
    const quick = QUICK.map((emoji) => h('button', { class: 'plain', onclick: () => {
      closePopup();
      void this.react(message, emoji, true);
    } }, emoji));
    const list = menu([
      { name: t('reply'), icon: icon('reply'), run: () => this.by.reply(message) },
      { name: t('copyText'), icon: icon('copy'), run: () => void copy(textOf(message)) },
      canEdit(message) && { name: t('edit'), icon: icon('edit'), run: () => this.by.edit(message) },
      { name: t('passOn'), icon: icon('send'), run: () => passOn(beside, eachAlone([message]), this.by.feed, this.by.outgoing) },
      own && status === 'Sent' && !message.recalled_at && { name: t('recall'), icon: icon('undo'), run: () => askFirst(beside, 'recallSure', 'recall', () => this.#change(() => recallMessage(id))) },
      own && (status === 'Failed' || status === 'Canceled') && { name: t('retry'), icon: icon('retry'), run: () => this.retry(message) },
      open && { name: t('cancel'), icon: icon('cancel'), run: () => void this.#run(() => cancelMessage(id)) },
      { name: t('select'), icon: icon('check'), run: () => this.by.select(message) },
      !own && { name: t('unreadFrom'), icon: icon('messages'), run: () => this.by.unread(message) },
      { name: t('showDetails'), icon: icon('info'), run: () => location.assign(link('activity', { message: id })) },
      { name: t('deleteHere'), icon: icon('remove'), danger: true, run: () => askFirst(beside, 'deleteSure', 'deleteYes', () => this.#run(() => deleteMessage(id))) },
    ]);
    openPopup(beside, h('div', null, h('div', { class: 'quick' }, ...quick), list), t('actions'));
  }

  /**
   * @param {HTMLElement} beside
   * @param {Message} message
   */
  pickReaction(beside, message) {
    pickEmoji(beside, (emoji) => void this.react(message, emoji, true));
  }

  /**
   * @param {Message} message
   * @param {string} emoji
   * @param {boolean} isSet
   */
  react(message, emoji, isSet) {
    return this.#change(() => react(message.id, emoji, isSet));
  }

  /** @param {Message} message */
  retry(message) {
    if (isOutgoing(message)) this.by.outgoing.retry(message.id);
    else void this.#change(() => retryMessage(message.id));
  }

  /** @param {() => Promise<Message>} ask */
  #change(ask) {
    return this.#run(async () => this.by.told(await oneUpToDate(this.by.feed, ask())));
  }

  /** @param {() => Promise<unknown>} act */
  async #run(act) {
    try {
      await act();
    } catch (error) {
      toast(errorText(error), 'bad');
    }
  }
}
