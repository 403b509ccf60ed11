// How a message looks in lists.

import { describe } from './content.js';
import { h } from './dom.js';
import { failureText } from './errors.js';
import { author, fullTime, machineTime, platformName, time } from './format.js';
import { withHits } from './hits.js';
import { t } from './i18n.js';
import { icon } from './icons.js';
import { conversationName } from './names.js';

/** @typedef {import('./types.js').Message} Message */

/** @param {import('./types.js').Status} status */
export const statusMark = (status) => h('span', { class: `status ${status.toLowerCase()}` }, t(status));

/**
 * Two lines: who, where and when; what, and how it fared.
 * @param {Message} message
 * @param {string} q what was searched for
 */
export function messageRow(message, q = '') {
  const isInbound = message.direction === 'Inbound';
  const direction = h(
    'span',
    { class: `direction ${isInbound ? 'in' : 'out'}` },
    icon(isInbound ? 'inbound' : 'outbound'),
    h('span', { class: 'unseen' }, t(isInbound ? 'in' : 'out')),
  );
  return h(
    'div',
    { class: 'row' },
    direction,
    h(
      'div',
      { class: 'head' },
      h('span', { class: 'author' }, ...withHits(author(message), q)),
      h('span', { class: 'where' }, `${platformName(message.platform)} · ${conversationName(message)}`),
      h('time', { datetime: machineTime(message.created_at) }, time(message.created_at)),
    ),
    h(
      'div',
      { class: 'body' },
      h('span', { class: 'text' }, ...withHits(describe(message), q)),
      message.recalled_at ? h('span', { class: 'status', title: fullTime(message.recalled_at) }, t('recalled')) : null,
      message.status === 'Failed' && message.last_error ? h('span', { class: 'reason', title: message.last_error }, failureText(message)) : null,
      isInbound ? null : statusMark(message.status),
    ),
  );
}

/** Changes when the row would look different. @param {Message} message */
export const rowKey = (message) =>
  `${message.id} ${message.status} ${message.last_error ?? ''} ${message.edited_at ?? ''} ${message.recalled_at ?? ''} ${message.platform ?? ''} ${conversationName(message)}`;
