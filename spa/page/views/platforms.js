import { socketAddress, token } from '../api.js';
import { copyable } from '../clipboard.js';
import { fill, h } from '../dom.js';
import { failureText, reasonOf } from '../errors.js';
import { ago, fullTime, number, platformName } from '../format.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { link } from '../router.js';
import { stateMark } from '../state-mark.js';
import { bots } from './bots.js';
import { wechatLogin } from './wechat.js';

/** @typedef {import('../types.js').Adapter} Adapter */

/** How often "2 minutes ago" is told anew, in milliseconds. */
const TIME_INTERVAL = 30_000;

/** Kinds of adapters as people write them. */
const KINDS = new Map([['onebot11', 'OneBot 11'], ['onebot12', 'OneBot 12'], ['ilink', 'iLink'], ['loopback', 'Loopback']]);

/**
 * @param {import('../feed.js').Feed} feed
 * @returns {import('../types.js').View}
 */
export function platforms(feed) {
  const grid = h('ul', { class: 'platform-grid' });
  const draw = () => {
    const told = feed.adapters.value;
    if (told) fill(grid, ...(told.length > 0 ? told.map((adapter) => h('li', null, card(adapter))) : [h('li', { class: 'wide' }, nothing())]));
  };
  draw();
  const end = feed.adapters.watch(draw);
  const timer = setInterval(draw, TIME_INTERVAL);
  const wechat = wechatLogin();
  const configured = bots();
  const element = h('div', { class: 'page' }, h('h1', null, t('platforms')), grid, configured.element, guide(wechat.element));
  return {
    element,
    close: () => {
      end();
      clearInterval(timer);
      wechat.close();
      configured.close();
    },
  };
}

/** An adapter in one line, for the dashboard. @param {Adapter} adapter */
export function adapterLine(adapter) {
  const account = adapter.account && adapter.account !== adapter.platform ? adapter.account : KINDS.get(adapter.kind) ?? adapter.kind;
  return h(
    'div',
    { class: 'adapter-line' },
    h('span', { class: 'who' }, h('strong', null, platformName(adapter.platform)), h('span', { class: 'muted' }, account)),
    stateMark(adapter.state),
  );
}

/** @param {Adapter} adapter */
function card(adapter) {
  const count = (/** @type {import('../i18n.js').Word} */ name, /** @type {number} */ n) =>
    h('div', null, h('dt', null, t(name)), h('dd', null, number(n)));
  return h(
    'article',
    { class: 'card platform' },
    h('div', { class: 'title' }, h('h2', null, platformName(adapter.platform)), stateMark(adapter.state)),
    h(
      'p',
      { class: 'muted' },
      [KINDS.get(adapter.kind) ?? adapter.kind, adapter.account && t('accountIs', { account: adapter.account })].filter(Boolean).join(' · '),
    ),
    h('p', { class: 'muted', title: fullTime(adapter.since) }, t('since', { when: ago(adapter.since) })),
    h('dl', { class: 'numbers' }, count('received', adapter.received), count('sent', adapter.sent), count('failed', adapter.failed)),
    adapter.reason && adapter.reason !== adapter.last_error ? h('p', null, reasonOf(adapter)) : null,
    adapter.last_error ? h('p', { class: 'last-error' }, h('strong', null, t('lastError')), ' ', failureText(adapter)) : null,
    h(
      'div',
      { class: 'actions' },
      h('a', { class: 'button', href: link('messages', { platform: adapter.platform }) }, icon('messages'), t('messages')),
      adapter.state === 'Connected' ? h('a', { class: 'button', href: link('send', { platform: adapter.platform }) }, icon('send'), t('send')) : null,
    ),
  );
}

function nothing() {
  return h('div', { class: 'card none' }, icon('platforms'), h('h2', null, t('noAdapters')), h('p', { class: 'muted' }, t('noAdaptersText')));
}

/** How to connect one. @param {HTMLElement} wechat */
function guide(wechat) {
  return h(
    'section',
    { class: 'card guide', 'aria-labelledby': 'guide-title' },
    h('h2', { id: 'guide-title' }, t('guide')),
    h('p', { class: 'muted' }, t('guideText')),
    way(true, t('guideQq'), ['guideQq1', 'guideQq2', 'guideQq3'], socketAddress('onebot/v11/ws').href),
    wechat,
    way(false, t('guideOther'), ['guideOther1', 'guideOther2'], socketAddress('onebot/v12/ws').href),
    way(false, t('guideTry'), ['guideTry1'], 'rechat serve --loopback'),
    h('p', { class: 'muted' }, t(isHere() ? 'guideElsewhere' : 'guideReachable'), ' ', token() ? t('guideToken') : ''),
  );
}

/** Whether only programs on this host reach the address that is shown. */
const isHere = () => /^(localhost|127\.|\[::1\])/.test(location.hostname);

/**
 * @param {boolean} isOpen
 * @param {string} title
 * @param {import('../i18n.js').Word[]} steps
 * @param {string} text what to copy
 */
function way(isOpen, title, steps, text) {
  return h(
    'details',
    { open: isOpen },
    h('summary', null, title),
    h('ol', null, ...steps.map((step) => h('li', null, t(step)))),
    copyable(text),
  );
}
