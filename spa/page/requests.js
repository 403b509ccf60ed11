// People who want to be a friend or to join a group: seen from everywhere, and answered.

import { answerRequest } from './api.js';
import { avatar } from './avatar.js';
import { fill, h } from './dom.js';
import { errorText } from './errors.js';
import { fullTime, platformName, shortTime } from './format.js';
import { t } from './i18n.js';
import { icon } from './icons.js';
import { conversationName } from './names.js';
import { toast } from './toast.js';

/** @typedef {import('./types.js').ContactRequest} ContactRequest */
/** @typedef {import('./feed.js').Feed} Feed */

/** Answered requests that are still listed. */
const ANSWERED = 20;

/** @param {ContactRequest} request */
const waits = ({ approved }) => approved === undefined;

/**
 * The way to the requests, with how many wait; only where there are some.
 * @param {Feed} feed
 */
export function requestsButton(feed) {
  const badge = h('span', { class: 'badge' });
  const element = h('button', { class: 'plain requests', onclick: () => openRequests(feed) }, icon('person'), badge, ' ', h('span', { class: 'words' }, t('requests')));
  const close = feed.requests.follow((requests) => {
    const n = requests?.filter(waits).length ?? 0;
    element.hidden = !requests?.length;
    badge.hidden = n === 0;
    badge.textContent = String(n);
    element.title = n > 0 ? t('requestsWaiting', { n }) : t('requests');
    // It begins with what is seen of it; on a phone that is the number alone.
    element.setAttribute('aria-label', n > 0 ? `${n} ${t('requests')}` : t('requests'));
  });
  return { element, close };
}

/** Shows the requests, those that wait first. @param {Feed} feed */
function openRequests(feed) {
  const list = h('ul', { class: 'request-list' });
  const close = () => dialog.close();
  const dialog = h(
    'dialog',
    { class: 'sheet', 'aria-labelledby': 'requests-title', onclick: (/** @type {Event} */ event) => event.target === dialog && close() },
    h('div', { class: 'title' }, h('h2', { id: 'requests-title', tabindex: '-1' }, t('requests')), h('button', { class: 'plain', 'aria-label': t('close'), title: 'Esc', onclick: close }, icon('close'))),
    list,
  );
  const end = feed.requests.follow((requests = []) => {
    const answered = requests.filter((request) => !waits(request)).slice(0, ANSWERED);
    fill(list, ...[...requests.filter(waits), ...answered].map((request) => row(request, feed, dialog)));
  });
  dialog.addEventListener('close', () => {
    end();
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
  feed.lookAtRequests();
}

/**
 * @param {ContactRequest} request
 * @param {Feed} feed
 * @param {HTMLElement} dialog
 */
function row(request, feed, dialog) {
  const { platform, account, user, text, created_at: at } = request;
  const name = user?.name || user?.id || t('somebody');
  return h(
    'li',
    null,
    avatar(user?.id ?? '', name, platformName(platform)),
    h(
      'div',
      null,
      h('p', null, h('strong', null, what(request, name))),
      text ? h('p', { class: 'text' }, text) : null,
      h('p', { class: 'muted' }, `${platformName(platform)} · ${t('accountIs', { account })} · `, h('time', { title: fullTime(at) }, shortTime(at))),
      waits(request) ? answers(request, feed, dialog) : h('p', { class: 'muted' }, t(request.approved ? 'requestApproved' : 'requestRefused')),
    ),
  );
}

/**
 * @param {ContactRequest} request
 * @param {string} user
 */
function what({ kind, platform, account, conversation = '', user: person }, user) {
  if (kind === 'friend_request') return t('friendRequest', { user });
  const group = conversationName({ platform, recipient: conversation });
  // The invited person is the one who would join: the account itself.
  return t(person?.id === account ? 'invitation' : 'joinRequest', { user, group });
}

/**
 * @param {ContactRequest} request
 * @param {Feed} feed
 * @param {HTMLElement} dialog
 */
function answers({ id }, feed, dialog) {
  const give = async (/** @type {boolean} */ approve) => {
    for (const button of buttons) button.disabled = true;
    try {
      feed.answered(await answerRequest(id, approve));
      /** @type {HTMLElement | null} */ (dialog.querySelector('.request-list button, h2'))?.focus();
    } catch (error) {
      toast(errorText(error), 'bad');
      for (const button of buttons) button.disabled = false;
      feed.lookAtRequests();
    }
  };
  const buttons = [
    h('button', { class: 'primary', onclick: () => void give(true) }, icon('check'), t('approve')),
    h('button', { onclick: () => void give(false) }, icon('close'), t('refuse')),
  ];
  return h('div', { class: 'actions' }, ...buttons);
}
