import { avatar } from '../avatar.js';
import { segmentsOf, textOf } from '../content.js';
import { fill, h } from '../dom.js';
import { t } from '../i18n.js';
import { nameOfConversation } from '../names.js';
import { link } from '../router.js';
import { menu, openPopup } from './popup.js';

/** Conversations that are offered at once. */
const OFFERED = 8;

/**
 * Sends what a message says to another conversation, which the user chooses.
 * @param {HTMLElement} beside
 * @param {import('../types.js').Message} message
 * @param {import('../feed.js').Feed} feed
 * @param {import('./outgoing.js').OutgoingQueue} outgoing
 */
export function passOn(beside, message, feed, outgoing) {
  const field = h('input', { type: 'search', placeholder: t('searchAll'), 'aria-label': t('searchAll'), oninput: draw });
  const list = h('div');
  function draw() {
    const q = field.value.trim().toLowerCase();
    const found = feed.conversations.items.filter((entry) => `${nameOfConversation(entry)}\n${entry.conversation}`.toLowerCase().includes(q));
    const action = (/** @type {import('../types.js').Conversation} */ entry) => {
      const { platform, conversation } = entry;
      const name = nameOfConversation(entry);
      const run = () => {
        outgoing.send(entry, segmentsOf(message).map(quiet), [], undefined);
        location.hash = link('messages', { platform, conversation });
      };
      return { name, icon: avatar(conversation, name), run };
    };
    fill(list, menu(found.slice(0, OFFERED).map(action)));
  }
  draw();
  openPopup(beside, h('div', null, field, list), t('passOn'));
}

/**
 * A segment for other readers, who are not mentioned.
 * @param {import('../types.js').Segment} segment
 * @returns {import('../types.js').Segment}
 */
const quiet = (segment) => (segment.type.startsWith('mention') ? { type: 'text', text: textOf({ content: '', segments: [segment] }) } : segment);
