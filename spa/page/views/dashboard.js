import { ask } from '../api.js';
import { fill, h } from '../dom.js';
import { number } from '../format.js';
import { t } from '../i18n.js';
import { EVERYTHING, MessageList } from '../list.js';
import { messageRow } from '../message.js';
import { plot } from '../plot.js';
import { link } from '../router.js';
import { adapterLine } from './platforms.js';

/** @typedef {import('../feed.js').Feed} Feed */

/** Messages shown under "latest". */
const MAX_LATEST = 8;

/** How often the plot is drawn anew, in milliseconds. */
const PLOT_EVERY = 5000;

/** The spans of the plot: minutes in all, and minutes put together. */
const SPANS = { hour: { minutes: 60, step: 1 }, day: { minutes: 1440, step: 15 } };

/**
 * @param {Feed} feed
 * @returns {import('../types.js').View}
 */
export function dashboard(feed) {
  const parts = [cards(feed), activity(feed), adapters(feed), latest(feed)];
  const welcome = empty(feed);
  const [statusCards, plotCard, adapterCard, latestCard] = parts.map((part) => part.element);
  const element = h(
    'div',
    { class: 'page' },
    h('h1', null, t('dashboard')),
    welcome.element,
    statusCards,
    h('div', { class: 'columns' }, h('div', null, plotCard, latestCard), adapterCard),
  );
  return { element, close: () => [...parts, welcome].forEach((part) => part.close()) };
}

/** The six counts. @param {Feed} feed */
function cards(feed) {
  const names = /** @type {const} */ (['Pending', 'Sending', 'Sent', 'Failed', 'Canceled', 'Total']);
  const made = names.map((name) => {
    const count = h('span', { class: 'count' }, '–');
    const status = name === 'Total' ? '' : name;
    const card = h(
      'a',
      { class: `card stat ${name.toLowerCase()}`, href: link('activity', { status }) },
      h('span', { class: 'name' }, t(name)),
      count,
    );
    return { name, count, card };
  });
  const close = feed.stats.follow((stats) => {
    if (!stats) return;
    for (const { name, count } of made) {
      const key = /** @type {keyof typeof stats} */ (name.toLowerCase());
      const text = number(stats[key]);
      if (count.textContent !== text) count.textContent = text;
    }
  });
  const list = h('ul', { class: 'stats', 'aria-label': t('counts') }, ...made.map(({ card }) => h('li', null, card)));
  return { element: list, close };
}

/** Messages a minute. @param {Feed} feed */
function activity(feed) {
  /** @type {keyof typeof SPANS} */
  let span = 'hour';
  const place = h('div', { class: 'plot-place' });
  const names = /** @type {(keyof typeof SPANS)[]} */ (Object.keys(SPANS));
  const buttons = names.map((name) =>
    h('button', { 'aria-pressed': String(name === span), onclick: () => choose(name) }, t(name)),
  );

  /** @param {keyof typeof SPANS} name */
  function choose(name) {
    span = name;
    buttons.forEach((button, at) => button.setAttribute('aria-pressed', String(names[at] === name)));
    void draw();
  }

  async function draw() {
    const asked = span;
    const { minutes, step } = SPANS[asked];
    const told = await ask(`api/activity?minutes=${minutes}`).catch(() => undefined);
    if (told && asked === span) fill(place, plot(told, step));
  }

  let isDue = true;
  const end = feed.batch.watch(() => {
    isDue = true;
  });
  let rounds = 0;
  const timer = setInterval(() => {
    rounds += 1;
    // Time moves the plot, too, if slower.
    if ((!isDue && rounds % 6 !== 0) || document.hidden) return;
    isDue = false;
    void draw();
  }, PLOT_EVERY);
  void draw();
  const element = h(
    'section',
    { class: 'card', 'aria-labelledby': 'plot-title' },
    h('div', { class: 'title' }, h('h2', { id: 'plot-title' }, t('perMinute')), h('div', { class: 'choice', role: 'group', 'aria-label': t('span') }, ...buttons)),
    place,
  );
  return {
    element,
    close: () => {
      clearInterval(timer);
      end();
    },
  };
}

/** How the adapters are, in a line each. @param {Feed} feed */
function adapters(feed) {
  const list = h('ul', { class: 'adapters' });
  const close = feed.adapters.follow((told) => {
    if (!told) return;
    const lines = told.map((adapter) => h('li', null, adapterLine(adapter)));
    fill(list, ...(lines.length > 0 ? lines : [h('li', { class: 'muted' }, t('noAdapters'))]));
  });
  const element = h(
    'section',
    { class: 'card side', 'aria-labelledby': 'adapters-title' },
    h('div', { class: 'title' }, h('h2', { id: 'adapters-title' }, t('platforms')), h('a', { href: link('platforms') }, t('connectOne'))),
    list,
  );
  return { element, close };
}

/** The newest messages. @param {Feed} feed */
function latest(feed) {
  const messages = new MessageList(feed, EVERYTHING, 200);
  const list = h('ul', { class: 'latest' });
  const end = messages.changed.follow(() => {
    const rows = messages.rows.slice(0, MAX_LATEST).map((message) =>
      h('li', null, h('a', { href: link('activity', { message: message.id }) }, messageRow(message))),
    );
    const nothing = messages.isLoading || !messages.isComplete ? null : h('li', { class: 'muted none' }, t('noMessages'));
    fill(list, ...(rows.length > 0 ? rows : [nothing]));
    void messages.refresh(0, MAX_LATEST);
  });
  const element = h(
    'section',
    { class: 'card', 'aria-labelledby': 'latest-title' },
    h('div', { class: 'title' }, h('h2', { id: 'latest-title' }, t('latest')), h('a', { href: link('activity') }, t('showAll'))),
    list,
  );
  return {
    element,
    close: () => {
      end();
      messages.close();
    },
  };
}

/** The first steps, as long as there is nothing at all. @param {Feed} feed */
function empty(feed) {
  const element = h('section', { class: 'card welcome', hidden: true, 'aria-labelledby': 'welcome-title' });
  const steps = [
    h('li', null, h('h3', null, t('stepConnect')), h('p', null, t('stepConnectHow')), h('a', { class: 'button primary', href: link('platforms') }, t('connectOne'))),
    h('li', null, h('h3', null, t('stepSend')), h('p', null, t('stepSendHow')), h('a', { class: 'button', href: link('send') }, t('send'))),
    h('li', null, h('h3', null, t('stepWatch')), h('p', null, t('stepWatchHow')), h('a', { class: 'button', href: link('messages') }, t('messages'))),
  ];
  fill(element, h('h2', { id: 'welcome-title' }, t('welcome')), h('p', { class: 'muted' }, t('welcomeText')), h('ol', { class: 'steps' }, ...steps));
  const close = feed.stats.follow((stats) => {
    element.hidden = !stats || stats.total > 0;
  });
  return { element, close };
}
