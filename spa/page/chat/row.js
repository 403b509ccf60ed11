// How a message looks in its conversation.

import { avatar, hueOf } from '../avatar.js';
import { segmentsOf } from '../content.js';
import { h } from '../dom.js';
import { failureText, waitingText } from '../errors.js';
import { author, clock, dayName, fullTime, isSameDay, machineTime } from '../format.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { glyphOf } from './faces.js';
import { noticeText } from './notice.js';
import { isOutgoing } from './outgoing.js';
import { blocksOf } from './segments.js';
import { isMessage } from './timeline.js';

/** @typedef {import('../types.js').Message} Message */
/** @typedef {import('./timeline.js').Row} Row */

/**
 * Properties of a conversation that its rows need.
 * @typedef {object} Surroundings
 * @property {boolean} isPrivate
 * @property {string} firstUnread ID of the message that has the line of new messages above it
 * @property {(id: string) => void} jump
 * @property {(message: Message, emoji: string, isSet: boolean) => void} react
 * @property {(message: Message) => void} retry
 * @property {(message: Message) => void} drop gives up a message that is not at the server
 * @property {(message: Message) => void} takeBack the same, to write it anew
 * @property {(id: string) => boolean} isSelected
 * @property {(id: string) => number | undefined} progress uploaded part of a message's files
 */

/** Seconds of silence after which a name is shown again. */
const SILENCE = 300;

/** The icon of each status. */
const STATUS_ICONS = /** @type {const} */ ({ Pending: 'clock', Sending: 'clock', Sent: 'check', Failed: 'alert', Canceled: 'cancel' });

/** @param {Message} message */
const writer = (message) => `${message.direction ?? 'Outbound'} ${message.sender?.id ?? ''}`;

/**
 * Whether a message begins a group: somebody else's, of another day, after a pause.
 * @param {Message} message
 * @param {Row | undefined} before
 */
function beginsGroup(message, before) {
  if (!before || !isMessage(before)) return true;
  return writer(message) !== writer(before) || message.created_at - before.created_at > SILENCE;
}

/**
 * The surroundings of a row that change its looks.
 * @param {Row} row
 * @param {Row | undefined} before
 * @param {string} firstUnread
 */
export function surroundings(row, before, firstUnread) {
  const isFirstOfDay = !before || !isSameDay(row.created_at, before.created_at);
  const isFirstUnread = row.id === firstUnread;
  const isHead = isMessage(row) && (isFirstOfDay || isFirstUnread || beginsGroup(row, before));
  return { isFirstOfDay, isFirstUnread, isHead };
}

/**
 * The row of a message or notice. What a message says is kept from its old row where it is the
 * same, so that what plays goes on.
 * @param {Row} row
 * @param {Row | undefined} before
 * @param {HTMLElement | undefined} old
 * @param {Surroundings} around
 */
export function chatRow(row, before, old, around) {
  const { isFirstOfDay, isFirstUnread, isHead } = surroundings(row, before, around.firstUnread);
  return h(
    'div',
    { class: around.isSelected(row.id) ? 'entry picked' : 'entry', 'data-id': row.id },
    isFirstOfDay ? h('div', { class: 'day' }, h('span', null, dayName(row.created_at))) : null,
    isFirstUnread ? h('div', { class: 'unread-line' }, h('span', null, t('newHere'))) : null,
    isMessage(row) ? article(row, isHead, old, around) : h('p', { class: 'notice', title: fullTime(row.created_at) }, noticeText(row)),
  );
}

/**
 * @param {Message} message
 * @param {boolean} isHead
 * @param {HTMLElement | undefined} old
 * @param {Surroundings} around
 */
function article(message, isHead, old, around) {
  const isOwn = message.direction !== 'Inbound';
  const name = author(message);
  const classes = ['message', isOwn ? 'own' : 'other', isHead ? 'begins' : '', message.recalled_at ? 'recalled' : '', message.status === 'Failed' ? 'failed' : ''];
  const id = message.sender?.id ?? message.recipient;
  const said = body(message, old);
  const facts = meta(message, isOwn);
  // The time stands at the end of the last line of text, where nothing stands beside it.
  const isInLine = said.lastElementChild?.classList.contains('ends') && facts.childElementCount === (isOwn ? 2 : 1);
  return h(
    'article',
    { class: classes.filter(Boolean).join(' '), tabindex: '-1', 'aria-label': `${name}, ${clock(message.created_at)}` },
    !isOwn && !around.isPrivate ? h('span', { class: 'face-place' }, isHead ? avatar(id, name) : null) : null,
    h(
      'div',
      { class: 'bubble-column' },
      h(
        'div',
        { class: isInLine ? 'bubble in-line' : 'bubble' },
        isHead && !isOwn && !around.isPrivate ? h('div', { class: `name hue-${hueOf(id)}` }, name) : null,
        message.reply_to ? quote(message.reply_to, around) : null,
        said,
        facts,
      ),
      reactions(message, around),
      state(message, around),
    ),
  );
}

/**
 * @param {Message} message
 * @param {HTMLElement | undefined} old
 */
function body(message, old) {
  const key = JSON.stringify([message.content, message.segments]);
  /** @type {(HTMLElement & {said?: string}) | null | undefined} */
  const kept = old?.querySelector('.said-here');
  if (kept?.said === key) return kept;
  /** @type {HTMLElement & {said?: string}} */
  const made = h('div', { class: 'said-here' }, ...blocksOf(segmentsOf(message), message.id));
  if (made.lastElementChild?.matches('.text:not(.large)')) made.lastElementChild.classList.add('ends');
  made.said = key;
  return made;
}

/**
 * The message that this one answers.
 * @param {NonNullable<Message['reply_to']>} to
 * @param {Surroundings} around
 */
function quote({ id, sender, content: said }, around) {
  const inside = [h('strong', null, sender?.name || sender?.id || t('you')), h('span', null, said || t('message'))];
  if (!id) return h('div', { class: 'quote' }, inside);
  return h('button', { class: 'quote', title: t('showAnswered'), onclick: () => around.jump(id) }, inside);
}

/**
 * @param {Message} message
 * @param {boolean} isOwn
 */
function meta(message, isOwn) {
  const edited = message.edited_at ? h('span', { title: fullTime(message.edited_at) }, t('edited')) : null;
  const by = message.recalled_by?.name || message.recalled_by?.id;
  const recalled = message.recalled_at ? h('span', { title: fullTime(message.recalled_at) }, by ? t('recalledBy', { name: by }) : t('recalled')) : null;
  return h(
    'span',
    { class: 'bubble-meta' },
    message.via ? h('span', null, t('via', { name: message.via })) : null,
    recalled,
    edited,
    h('time', { datetime: machineTime(message.created_at) }, clock(message.created_at)),
    isOwn ? tick(message) : null,
  );
}

/** How far an own message has come. @param {Message} message */
export function tick({ status, unconfirmed }) {
  const name = unconfirmed ? t('unconfirmed') : t(status);
  return h('span', { class: `tick ${status.toLowerCase()}${unconfirmed ? ' unconfirmed' : ''}`, role: 'img', 'aria-label': name, title: name }, icon(STATUS_ICONS[status]));
}

/**
 * @param {Message} message
 * @param {Surroundings} around
 */
function reactions(message, around) {
  if (!message.reactions?.length) return null;
  const chips = message.reactions.map(({ emoji, count, mine = false }) =>
    h('button', { class: 'reaction', 'aria-pressed': String(mine), 'aria-label': t('reactedWith', { emoji: glyphOf(emoji), n: count }), onclick: () => around.react(message, emoji, !mine) }, h('span', { class: 'glyph' }, glyphOf(emoji)), String(count)),
  );
  return h('div', { class: 'reactions' }, ...chips);
}

/**
 * Why an own message is not sent yet, or was not.
 * @param {Message} message
 * @param {Surroundings} around
 */
function state(message, around) {
  const button = (/** @type {Parameters<typeof icon>[0]} */ picture, /** @type {import('../i18n.js').Word} */ name, /** @type {(message: Message) => void} */ run) =>
    h('button', { class: 'small', onclick: () => run(message) }, icon(picture), t(name));
  const isHere = isOutgoing(message);
  const drop = isHere ? [' ', button('edit', 'edit', around.takeBack), ' ', button('remove', 'delete', around.drop)] : [];
  if (message.status === 'Failed') {
    return h('div', { class: 'why problem' }, failureText(message) || t('Failed'), ' ', button('retry', 'retry', around.retry), ...drop);
  }
  const part = around.progress(message.id);
  if (part) return h('div', { class: 'why' }, h('progress', { class: 'upload', value: String(part), 'aria-label': t('uploading') }), button('close', 'cancelThis', around.drop));
  const why = message.status === 'Pending' || isHere ? waitingText(message) || failureText(message) : undefined;
  return why ? h('div', { class: 'why muted' }, why, ...drop) : null;
}
