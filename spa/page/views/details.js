import { Refused, cancelMessage, deleteMessage, getMessage, retryMessage } from '../api.js';
import { oneUpToDate } from '../changes.js';
import { blocksOf } from '../chat/segments.js';
import { copy } from '../clipboard.js';
import { segmentsOf, textOf } from '../content.js';
import { fill, h } from '../dom.js';
import { errorText, failureText, waitingText } from '../errors.js';
import { author, fullTime, platformName } from '../format.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { statusMark } from '../message.js';
import { conversationName } from '../names.js';
import { link } from '../router.js';
import { toast } from '../toast.js';

/** @typedef {import('../types.js').Message} Message */

/**
 * Everything about one message, and what can be done with it.
 * @param {import('../feed.js').Feed} feed
 * @param {string} id
 * @param {Message | undefined} known
 * @param {{told: (message: Message) => void, gone: () => void, close: () => void}} by
 */
export function details(feed, id, known, by) {
  const title = h('h2', { tabindex: '-1' }, t('details'));
  const place = h('div', { class: 'details-body' });
  const content = h('div', { class: 'content' });
  /** @type {(() => void)[]} */
  const ends = [];
  let shown = '';
  let named = '';
  /** The actions, drawn anew only where they change: a question that is asked stays. */
  let row = h('div');
  let can = '';

  /** @param {Message} message */
  function draw(message) {
    known = message;
    named = conversationName(message);
    const said = JSON.stringify([message.content, message.segments]);
    if (shown !== said) {
      shown = said;
      fill(content, ...blocksOf(segmentsOf(message), message.id));
    }
    const now = [message.status, message.direction, message.platform].join();
    if (can !== now) {
      can = now;
      row = actions(message, run, remove);
    }
    if (row.isConnected) {
      place.firstElementChild?.replaceWith(meta(message));
      place.lastElementChild?.replaceWith(facts(message));
    } else {
      fill(place, meta(message), content, row, facts(message));
    }
  }

  /** @param {Message} message */
  function told(message) {
    by.told(message);
    draw(message);
  }

  async function look() {
    try {
      told(await oneUpToDate(feed, getMessage(id)));
    } catch (error) {
      if (error instanceof Refused && error.status === 404) fill(place, h('p', { class: 'problem' }, t('messageGone')));
    }
  }

  /** @param {'Canceled' | 'Pending'} status */
  async function run(status) {
    try {
      const cancels = status === 'Canceled';
      told(await oneUpToDate(feed, cancels ? cancelMessage(id) : retryMessage(id)));
      toast(t(cancels ? 'canceled' : 'retried'), 'good');
      title.focus();
    } catch (error) {
      toast(errorText(error), 'bad');
    }
  }

  async function remove() {
    try {
      await deleteMessage(id);
      toast(t('deleted'), 'good');
      by.gone();
    } catch (error) {
      toast(errorText(error), 'bad');
    }
  }

  ends.push(
    feed.batch.watch((batch) => {
      const isOf = (/** @type {import('../feed.js').Batch[number]} */ event) =>
        ('change' in event && event.change.id === id) || ('update' in event && event.update.id === id) || ('removed' in event && event.removed === id);
      if (batch.some(isOf)) void look();
      else if (known && conversationName(known) !== named) draw(known);
    }),
  );
  if (known) draw(known);
  const element = h(
    'div',
    {
      class: 'details-inside',
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        if (event.key === 'Escape') by.close();
      },
    },
    h('div', { class: 'title' }, title, h('button', { class: 'plain', 'aria-label': t('close'), title: 'Esc', onclick: by.close }, icon('close'))),
    place,
  );
  return { element, look, focus: () => title.focus(), close: () => ends.forEach((end) => end()) };
}

/** @param {Message} message */
function meta(message) {
  return h(
    'div',
    { class: 'meta' },
    h('div', null, h('strong', null, author(message)), ' ', h('span', { class: 'muted' }, `${platformName(message.platform)} · ${conversationName(message)}`)),
    h('div', null, h('time', { class: 'muted' }, fullTime(message.created_at)), ' ', message.direction === 'Inbound' ? h('span', { class: 'status sent' }, t('in')) : statusMark(message.status)),
    message.last_error ? h('p', { class: 'last-error' }, failureText(message)) : null,
    message.waiting ? h('p', { class: 'muted' }, waitingText(message)) : null,
  );
}

/**
 * @param {Message} message
 * @param {(status: 'Canceled' | 'Pending') => Promise<void>} run
 * @param {() => Promise<void>} remove
 */
function actions(message, run, remove) {
  const isOut = message.direction !== 'Inbound';
  const can = {
    cancel: isOut && message.status === 'Pending',
    retry: isOut && (message.status === 'Failed' || message.status === 'Canceled'),
  };
  const answer = link('messages', { platform: message.platform ?? 'local', conversation: message.recipient, message: message.id });
  const row = h('div', { class: 'actions' });
  const ask = () => {
    const no = h('button', { onclick: usual }, t('keep'));
    fill(row, h('span', { class: 'question' }, t('deleteSure')), h('button', { class: 'danger', onclick: () => void remove() }, icon('remove'), t('deleteYes')), no);
    no.focus();
  };
  function usual() {
    fill(
      row,
      h('a', { class: 'button', href: answer }, icon('messages'), t('showInChat')),
      h('button', { onclick: () => void copy(textOf(message)) }, icon('copy'), t('copy')),
      can.retry ? h('button', { onclick: () => void run('Pending') }, icon('retry'), t('retry')) : null,
      can.cancel ? h('button', { onclick: () => void run('Canceled') }, icon('cancel'), t('cancel')) : null,
      h('button', { class: 'delete', onclick: ask }, icon('remove'), t('delete')),
    );
  }
  usual();
  return row;
}

/** @param {Message} message */
function facts(message) {
  /** @type {[import('../i18n.js').Word, string | undefined][]} */
  const pairs = [
    ['type', t(message.message_type)],
    ['platform', platformName(message.platform)],
    ['conversation', message.recipient],
    ['sender', message.sender && `${message.sender.name} (${message.sender.id})`],
    ['account', message.account],
    ['createdAt', fullTime(message.created_at)],
    ['updatedAt', message.updated_at === message.created_at ? undefined : fullTime(message.updated_at)],
    ['retries', message.retry_count > 0 ? String(message.retry_count) : undefined],
    ['id', message.id],
  ];
  const told = pairs.filter(([, value]) => value);
  return h('dl', { class: 'facts' }, ...told.flatMap(([name, value]) => [h('dt', null, t(name)), h('dd', null, value)]));
}
