import { deleteMessage } from '../api.js';
import { copy } from '../clipboard.js';
import { textOf } from '../content.js';
import { fill, h } from '../dom.js';
import { errorText } from '../errors.js';
import { author } from '../format.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { toast } from '../toast.js';
import { askFirst } from './ask-first.js';
import { asOne, eachAlone, passOn } from './pass-on.js';

/** @typedef {import('../types.js').Message} Message */

/** Several messages of a conversation that are chosen, and what can be done with them. */
export class Selection {
  /** @type {Map<string, Message>} */
  #chosen = new Map();

  /**
   * @param {import('../feed.js').Feed} feed
   * @param {typeof import('./outgoing.js').outgoing} outgoing
   * @param {() => void} changed
   */
  constructor(feed, outgoing, changed) {
    this.changed = changed;
    const button = (/** @type {Parameters<typeof icon>[0]} */ picture, /** @type {import('../i18n.js').Word} */ name, /** @type {(button: HTMLElement) => void} */ run) => {
      const made = h('button', { class: 'plain', onclick: () => run(made) }, icon(picture), t(name));
      return made;
    };
    this.count = h('strong', { role: 'status' });
    this.element = h(
      'div',
      { class: 'selection', role: 'toolbar', 'aria-label': t('actions'), hidden: true },
      this.count,
      button('copy', 'copyText', () => void this.#copy()),
      button('send', 'passOn', (made) => passOn(made, eachAlone(this.#messages()), feed, outgoing)),
      button('forward', 'passOnTogether', (made) => passOn(made, [asOne(this.#messages())], feed, outgoing)),
      button('remove', 'deleteHere', (made) => askFirst(made, 'deleteSure', 'deleteYes', () => this.#delete())),
      button('close', 'cancelThis', () => this.end()),
    );
  }

  get isActive() {
    return this.#chosen.size > 0;
  }

  /** @param {string} id */
  has(id) {
    return this.#chosen.has(id);
  }

  /** Chooses a message, or no longer. @param {Message} message */
  toggle(message) {
    if (!this.#chosen.delete(message.id)) this.#chosen.set(message.id, message);
    this.#draw();
  }

  end() {
    this.#chosen.clear();
    this.#draw();
  }

  #draw() {
    this.element.hidden = !this.isActive;
    fill(this.count, t('selected', { n: this.#chosen.size }));
    this.changed();
  }

  /** Those chosen, in the order in which they were said. */
  #messages() {
    return [...this.#chosen.values()].sort((a, b) => a.created_at - b.created_at);
  }

  async #copy() {
    const messages = this.#messages();
    const lines = messages.map((message) => (messages.length > 1 ? `${author(message)}: ${textOf(message)}` : textOf(message)));
    await copy(lines.join('\n'));
    this.end();
  }

  async #delete() {
    for (const { id } of this.#messages()) {
      try {
        await deleteMessage(id);
      } catch (error) {
        toast(errorText(error), 'bad');
      }
    }
    this.end();
  }
}
