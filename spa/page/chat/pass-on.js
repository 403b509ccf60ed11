import { avatar } from '../avatar.js';
import { segmentsOf, textOf } from '../content.js';
import { fill, h, isComposing } from '../dom.js';
import { t } from '../i18n.js';
import { nameOfConversation } from '../names.js';
import { link } from '../router.js';
import { menu, openPopup } from './popup.js';

/** Conversations that are offered at once. */
const OFFERED = 8;

/**
 * Sends what messages say to another conversation, which the user chooses.
 * @param {HTMLElement} beside
 * @param {import('../types.js').Message[]} messages the oldest first
 * @param {import('../feed.js').Feed} feed
 * @param {typeof import('./outgoing.js').outgoing} outgoing
 */
export function passOn(beside, messages, feed, outgoing) {
  const field = h('input', { type: 'search', placeholder: t('searchAll'), 'aria-label': t('searchAll'), oninput: draw, onkeydown: pressed });
  const list = h('div');
  function draw() {
    const q = field.value.trim().toLowerCase();
    const found = feed.conversations.items.filter((entry) => `${nameOfConversation(entry)}\n${entry.conversation}`.toLowerCase().includes(q));
    const action = (/** @type {import('../types.js').Conversation} */ entry) => {
      const { platform, conversation } = entry;
      const name = nameOfConversation(entry);
      const run = () => {
        for (const message of messages) outgoing.send(entry, segmentsOf(message).map(quiet), [], undefined);
        location.hash = link('messages', { platform, conversation });
      };
      return { name, icon: avatar(conversation, name), run };
    };
    fill(list, menu(found.slice(0, OFFERED).map(action)));
  }
  /** The arrow leads into the list, Enter takes its only entry. @param {KeyboardEvent} event */
  function pressed(event) {
    const buttons = list.querySelectorAll('button');
    if (isComposing(event) || !buttons[0]) return;
    if (event.key === 'ArrowDown') buttons[0].focus();
    else if (event.key === 'Enter' && buttons.length === 1) buttons[0].click();
    else return;
    event.preventDefault();
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
