import { avatar } from '../avatar.js';
import { segmentsOf, textOf } from '../content.js';
import { fill, h, isComposing } from '../dom.js';
import { author } from '../format.js';
import { t } from '../i18n.js';
import { conversationName, nameOfConversation } from '../names.js';
import { link } from '../router.js';
import { menu, openPopup } from './popup.js';

/** @typedef {import('../types.js').Message} Message */
/** @typedef {import('../types.js').Segment} Segment */

/** Conversations that are offered at once. */
const MAX_OFFERED = 8;

/**
 * Sends something to another conversation, which the user chooses.
 * @param {HTMLElement} beside
 * @param {Segment[][]} parts the segments of each message to be made
 * @param {import('../feed.js').Feed} feed
 * @param {typeof import('./outgoing.js').outgoing} outgoing
 */
export function passOn(beside, parts, feed, outgoing) {
  const field = h('input', { type: 'search', placeholder: t('searchAll'), 'aria-label': t('searchAll'), oninput: draw, onkeydown: pressed });
  const list = h('div');
  function draw() {
    const q = field.value.trim().toLowerCase();
    const found = feed.conversations.items.filter((entry) => `${nameOfConversation(entry)}\n${entry.conversation}`.toLowerCase().includes(q));
    const action = (/** @type {import('../types.js').Conversation} */ entry) => {
      const { platform, conversation } = entry;
      const name = nameOfConversation(entry);
      const run = () => {
        for (const segments of parts) outgoing.send(entry, segments, [], undefined);
        location.hash = link('messages', { platform, conversation });
      };
      return { name, icon: avatar(conversation, name), run };
    };
    fill(list, menu(found.slice(0, MAX_OFFERED).map(action)));
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

/** The content of messages, one by one. @param {Message[]} messages */
export const eachAlone = (messages) => messages.map((message) => segmentsOf(message).map(quiet));

/** Messages as one forward, with their authors. @param {Message[]} messages the oldest first @returns {Segment[]} */
export const asOne = (messages) => [
  {
    type: 'forward',
    title: t('historyOf', { name: messages[0] ? conversationName(messages[0]) : '' }),
    items: messages.map((message) => ({
      sender: { id: message.sender?.id ?? message.account ?? '', name: author(message) },
      created_at: message.created_at,
      segments: segmentsOf(message).map(quiet),
    })),
  },
];

/** A segment for other readers, who are not mentioned. @param {Segment} segment @returns {Segment} */
const quiet = (segment) => (segment.type.startsWith('mention') ? { type: 'text', text: textOf({ content: '', segments: [segment] }) } : segment);
