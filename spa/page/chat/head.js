import { avatar } from '../avatar.js';
import { fill, h } from '../dom.js';
import { platformName } from '../format.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { isPrivate, nameOfConversation } from '../names.js';
import { openConversationMenu } from './conversation-menu.js';

/**
 * The head of a conversation: its name, its actions, and whether its platform is connected.
 * @param {import('../feed.js').Feed} feed
 * @param {import('../types.js').Conversation} opened
 * @param {{back: () => void, search: () => void, people: (beside: HTMLElement) => void}} by
 */
export function conversationHead(feed, opened, by) {
  const { platform, conversation } = opened;
  const element = h('header', { class: 'pane-head' });
  const away = h('p', { class: 'away', role: 'status', hidden: true });
  const entry = () => feed.conversations.get(platform, conversation) ?? opened;
  let drawn = '';

  function draw() {
    const now = entry();
    const name = nameOfConversation(now);
    const key = [name, now.muted].join();
    if (key === drawn) return;
    drawn = key;
    const more = h('button', { class: 'plain', 'aria-label': t('conversationMenu'), title: t('conversationMenu'), 'aria-haspopup': 'dialog', onclick: () => openConversationMenu(more, entry(), feed.conversations) }, icon('more'));
    const people = h('button', { class: 'plain', 'aria-label': t('people'), title: t('people'), 'aria-haspopup': 'dialog', onclick: () => by.people(people) }, icon('people'));
    fill(
      element,
      h('button', { class: 'plain back', 'aria-label': t('back'), onclick: by.back }, icon('back')),
      avatar(conversation, name),
      h('div', { class: 'pane-name' }, h('h2', null, name, now.muted ? icon('muted') : null), h('span', { class: 'muted' }, `${platformName(platform)} · ${conversation}`)),
      h('button', { class: 'plain', 'aria-label': t('searchHere'), title: `${t('searchHere')} (Ctrl+F)`, onclick: by.search }, icon('search')),
      isPrivate(now) ? null : people,
      more,
    );
  }

  /** Says so where nothing that is written goes out now, or nothing can come in. */
  function drawAway() {
    const here = feed.adapters.value?.filter((adapter) => adapter.platform === platform);
    const isAway = here !== undefined && !here.some(({ state }) => state === 'Connected');
    const isLost = feed.state.value === 'away';
    away.hidden = !isAway && !isLost;
    away.textContent = isLost ? t('awayLong') : isAway ? t('platformAway', { platform: platformName(platform) }) : '';
  }

  const ends = [feed.conversations.changed.follow(draw), feed.adapters.follow(drawAway), feed.state.watch(drawAway)];
  return { element, away, close: () => ends.forEach((end) => end()) };
}
