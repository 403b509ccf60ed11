import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { keyOf } from '../names.js';
import { prefer, preferences } from '../preferences.js';
import { link } from '../router.js';
import { menu, openPopup } from './popup.js';

/** @typedef {import('../preferences.js').Notify} Notify */

/**
 * The actions on a conversation.
 * @param {HTMLElement} beside
 * @param {import('../types.js').Conversation} entry
 * @param {import('../conversations.js').Conversations} conversations
 */
export function openConversationMenu(beside, entry, conversations) {
  const { platform, conversation, pinned, muted, unread, last_message: last } = entry;
  const key = keyOf(platform, conversation);
  const { notify } = preferences.value;
  const choice = (/** @type {Notify | undefined} */ value, /** @type {import('../i18n.js').Word} */ name) => ({
    name: t(name),
    checked: notify[key] === value,
    run: () => {
      const { [key]: _, ...others } = notify;
      prefer({ notify: value ? { ...others, [key]: value } : others });
    },
  });
  const list = menu([
    { name: t(pinned ? 'unpin' : 'pin'), icon: icon('pin'), run: () => conversations.change(entry, { pinned: !pinned }) },
    { name: t(muted ? 'unmute' : 'mute'), icon: icon('muted'), run: () => conversations.change(entry, { muted: !muted }) },
    { name: t('markRead'), icon: icon('check'), run: () => conversations.read(entry) },
    last?.direction === 'Inbound' && !unread && { name: t('markUnread'), icon: icon('messages'), run: () => conversations.unreadFrom(entry, last.id) },
    { name: t('activity'), icon: icon('activity'), run: () => location.assign(link('activity', { platform, conversation })) },
    choice(undefined, 'notifyUsual'),
    choice('all', 'notifyAll'),
    choice('mentions', 'notifyMentions'),
    choice('none', 'notifyNone'),
  ]);
  openPopup(beside, list, t('conversationMenu'));
}
