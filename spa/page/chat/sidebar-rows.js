// The rows of the sidebar: conversations, messages that were found, and a heading between them.

import { avatar } from '../avatar.js';
import { lineOf, segmentsOf } from '../content.js';
import { h } from '../dom.js';
import { author, machineTime, number, platformName, shortTime } from '../format.js';
import { hitsIn, withHits } from '../hits.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { conversationName, isPrivate, keyOf, nameOfConversation } from '../names.js';
import { draftOf } from './drafts.js';
import { tick } from './row.js';

/** @typedef {import('../types.js').Conversation} Conversation */
/** @typedef {import('../types.js').Message} Message */
/** @typedef {{entry: Conversation} | {hit: Message} | {heading: import('../i18n.js').Word}} Line */

/** Characters of a found message in which its hits are looked for. */
const MAX_SEARCHED = 20_000;

/** @param {{platform: string, conversation: string}} entry */
export const conversationId = ({ platform, conversation }) => encodeURIComponent(keyOf(platform, conversation));

/** @param {Line} line */
export function idOf(line) {
  if ('heading' in line) return line.heading;
  return 'hit' in line ? line.hit.id : conversationId(line.entry);
}

/**
 * Changes where a row has to be drawn anew.
 * @param {Line} line
 * @param {string} q
 */
export function keyOfLine(line, q) {
  if ('heading' in line) return line.heading;
  if ('hit' in line) return `${line.hit.id} ${conversationName(line.hit)} ${q}`;
  const { entry } = line;
  const { last_message: last } = entry;
  return JSON.stringify([idOf(line), q, nameOfConversation(entry), last?.id, last?.status, last?.edited_at, last?.recalled_at, entry.last_seq, entry.unread, entry.mentions, entry.muted, entry.pinned, draftOf(entry)?.text, new Date().getDate()]);
}

/**
 * @param {Line} line
 * @param {string} q
 */
export function rowOf(line, q) {
  if ('heading' in line) return h('div', { class: 'row heading' }, t(line.heading));
  return 'hit' in line ? hitRow(line.hit, q) : conversationRow(line.entry, q);
}

/**
 * @param {Conversation} entry
 * @param {string} q
 */
function conversationRow(entry, q) {
  const { last_message: last, muted, pinned, unread = 0, mentions = 0 } = entry;
  const name = nameOfConversation(entry);
  return h(
    'div',
    { class: `row conversation${muted ? ' muted-conversation' : ''}${unread > 0 ? ' unread' : ''}` },
    avatar(entry.conversation, name, platformName(entry.platform)),
    h(
      'div',
      { class: 'head' },
      h('span', { class: 'author' }, ...withHits(name, q)),
      muted ? h('span', { class: 'flag', role: 'img', 'aria-label': t('isMuted') }, icon('muted')) : null,
      pinned ? h('span', { class: 'flag', role: 'img', 'aria-label': t('isPinned') }, icon('pin')) : null,
      last && last.direction !== 'Inbound' ? tick(last) : null,
      h('time', { datetime: machineTime(entry.last_at) }, shortTime(entry.last_at)),
    ),
    h(
      'div',
      { class: 'body' },
      lastLine(entry),
      mentions > 0 ? h('span', { class: 'badge mention-badge', 'aria-label': t('mentionsOf', { n: mentions }), role: 'img' }, '@') : null,
      unread > 0 ? h('span', { class: 'badge', 'aria-label': t('unreadOf', { n: unread }), role: 'img' }, unread > 999 ? '999+' : number(unread)) : null,
    ),
  );
}

/** @param {Conversation} entry */
function lastLine(entry) {
  const draft = draftOf(entry)?.text;
  if (draft) return h('span', { class: 'text' }, h('span', { class: 'draft' }, t('draft')), ' ', draft.slice(0, 100));
  const { last_message: last } = entry;
  if (!last) return h('span', { class: 'text' }, platformName(entry.platform));
  const isOwn = last.direction !== 'Inbound';
  const who = isOwn ? t('you') : isPrivate(entry) ? '' : author(last);
  const said = last.recalled_at ? t('recalledMessage') : lineOf(last);
  return h('span', { class: 'text' }, who ? [h('span', { class: 'who' }, who), ': '] : null, said);
}

/**
 * @param {Message} message
 * @param {string} q
 */
function hitRow(message, q) {
  const name = conversationName(message);
  const line = lineOf(message, MAX_SEARCHED);
  // A picture's name is searched, too, and shown nowhere else.
  const names = segmentsOf(message).flatMap(({ name: file }) => (file && !line.includes(file) && hitsIn(file, q).length > 0 ? [file] : []));
  return h(
    'div',
    { class: 'row conversation' },
    avatar(message.recipient, name, platformName(message.platform)),
    h('div', { class: 'head' }, h('span', { class: 'author' }, name), h('time', { datetime: machineTime(message.created_at) }, shortTime(message.created_at))),
    h('div', { class: 'body' }, h('span', { class: 'text' }, h('span', { class: 'who' }, ...withHits(author(message), q)), ': ', ...withHits([line, ...names].join(' · '), q))),
  );
}
