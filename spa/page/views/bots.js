import { address, ask, socketAddress } from '../api.js';
import { copyable } from '../clipboard.js';
import { fill, h } from '../dom.js';
import { errorText, failureText, reasonOf } from '../errors.js';
import { ago, fullTime, number, platformName } from '../format.js';
import { t } from '../i18n.js';
import { stateMark } from '../state-mark.js';

/** @typedef {import('../types.js').Bot} Bot */

/** How often it is asked how the bots are, in milliseconds. */
const POLL_INTERVAL = 3000;

/** Names of the protocols of bots. */
const KINDS = new Map([['onebot11', 'OneBot 11'], ['satori', 'Satori']]);

/** A card for each bot; nothing where none is configured. */
export function bots() {
  const element = h('section', { class: 'bots', 'aria-labelledby': 'bots-title', hidden: true });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let isClosed = false;
  let shown = '';

  async function look() {
    try {
      /** @type {{bots: Bot[]}} */
      const told = await ask('api/bots');
      if (isClosed) return;
      // An opened card and a selection stay, as long as nothing has changed.
      const now = JSON.stringify(told.bots) + String(Math.floor(Date.now() / 30_000));
      if (now !== shown) draw(told.bots);
      shown = now;
    } catch (error) {
      if (!isClosed && shown === '') {
        fill(element, h('p', { class: 'problem', role: 'alert' }, errorText(error)));
        element.hidden = false;
      }
    }
    if (!isClosed) timer = setTimeout(look, POLL_INTERVAL);
  }

  /** @param {Bot[]} told */
  function draw(told) {
    const open = new Set([...element.querySelectorAll('details[open]')].map((details) => details.getAttribute('data-bot')));
    const title = h('h2', { id: 'bots-title' }, t('bots'));
    const cards = told.map((bot) => h('li', null, card(bot, open.has(bot.name))));
    fill(element, title, h('p', { class: 'muted' }, t('botsText')), h('ul', { class: 'platform-grid' }, ...cards));
    element.hidden = told.length === 0;
  }

  void look();
  return {
    element,
    close: () => {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

/**
 * @param {Bot} bot
 * @param {boolean} isOpen whether it shows how to connect it
 */
function card(bot, isOpen) {
  const count = (/** @type {import('../i18n.js').Word} */ name, /** @type {number} */ n) =>
    h('div', null, h('dt', null, t(name)), h('dd', null, number(n)));
  const accounts = bot.accounts.map(({ platform, account }) => `${platformName(platform)} ${account}`).join(', ');
  return h(
    'article',
    { class: 'card platform bot' },
    h('div', { class: 'title' }, h('h3', null, bot.name), stateMark(bot.state)),
    h('p', { class: 'muted' }, [KINDS.get(bot.kind) ?? bot.kind, accounts || t('botNoAccount')].join(' · ')),
    h('p', { class: 'muted', title: fullTime(bot.since) }, t('since', { when: ago(bot.since) })),
    h('dl', { class: 'numbers' }, count('botDelivered', bot.delivered), count('botWaiting', bot.waiting)),
    bot.last_error ? h('p', { class: 'last-error' }, h('strong', null, t('lastError')), ' ', failureText(bot)) : null,
    !bot.last_error && bot.reason ? h('p', { class: 'muted' }, reasonOf(bot)) : null,
    h('details', { open: isOpen, 'data-bot': bot.name }, h('summary', null, t('botConnect')), ...lines(bot)),
  );
}

/** The lines to paste into the framework's configuration. @param {Bot} bot */
function lines({ kind, name, url }) {
  if (kind === 'satori') {
    const endpoint = address(`bots/${name}/satori`);
    const port = endpoint.port || (endpoint.protocol === 'https:' ? '443' : '80');
    const client = { host: endpoint.hostname, port, path: endpoint.pathname.slice(1), token: t('botToken') };
    const secure = endpoint.protocol === 'https:' ? { secure: true } : {};
    return [
      h('p', null, t('botSatori')),
      copyable(endpoint.href),
      h('p', null, t('botSatoriNoneBot')),
      copyable(`SATORI_CLIENTS='${JSON.stringify([{ ...client, ...secure }])}'`),
    ];
  }
  if (url) return [h('p', null, t('botDialled')), copyable(url)];
  return [h('p', null, t('botDials')), copyable(socketAddress(`bots/${name}/onebot/v11`).href)];
}
