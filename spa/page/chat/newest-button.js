import { fill, h } from '../dom.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';

/** The button that leads to the newest message, and tells how many came below what is seen. */
export class NewestButton {
  /** Messages that came below what is seen. */
  #behind = 0;
  /** How many it tells. */
  #told = -1;

  /** @param {() => void} pressed */
  constructor(pressed) {
    this.element = h('button', { class: 'down', hidden: true, onclick: pressed });
  }

  /** Counts messages that came out of sight. @param {number} n */
  add(n) {
    this.#behind += n;
  }

  /**
   * @param {boolean} isAtEnd whether the newest message is seen
   * @param {boolean} isEmpty whether there is no message
   * @param {number} unread messages that are unread and not loaded
   */
  draw(isAtEnd, isEmpty, unread) {
    if (isAtEnd) this.#behind = 0;
    this.element.hidden = isAtEnd || isEmpty;
    const n = Math.max(this.#behind, unread);
    if (n === this.#told) return;
    this.#told = n;
    fill(this.element, icon('down'), n > 0 ? t('newMessages', { n }) : h('span', { class: 'unseen' }, t('toNewest')));
  }
}
