// The page's frame: who we are, where to go, how the connection is; and the view that is shown.

import { Refused, isLocked, setToken, signInBy, token } from './api.js';
import { forgetDrafts } from './chat/drafts.js';
import { noticeText } from './chat/notice.js';
import { outgoing } from './chat/outgoing.js';
import { fill, h } from './dom.js';
import { errorText } from './errors.js';
import { Feed } from './feed.js';
import { fullTime, platformName } from './format.js';
import { LANGUAGES, currentLanguage, loadWords, locale, setLanguage, t } from './i18n.js';
import { icon } from './icons.js';
import { followNotifications } from './notifications.js';
import { requestsButton } from './requests.js';
import { PLACES, here, link, takeSignInCode } from './router.js';
import { toast, toasts } from './toast.js';
import { activity } from './views/activity.js';
import { dashboard } from './views/dashboard.js';
import { login } from './views/login.js';
import { messages } from './views/messages.js';
import { platforms } from './views/platforms.js';
import { send } from './views/send.js';

/** @typedef {import('./types.js').View} View */

const VIEWS = { dashboard, messages, activity, send, platforms };
const THEMES = /** @type {const} */ (['system', 'light', 'dark']);

const app = /** @type {HTMLElement} */ (document.getElementById('app'));
const main = h('main', { id: 'main', tabindex: '-1' });

/** @type {View | undefined} */
let view;
/** @type {Feed | undefined} */
let feed;
/** @type {import('./router.js').Place | undefined} */
let shown;
/** @type {(() => void)[]} */
let ends = [];
/** Why a code did not sign in; shown where the token is asked for. */
let problem = '';

/** Draws everything anew: at the start, after signing in, in another language. */
function draw() {
  close();
  document.documentElement.lang = locale();
  if (isLocked.value) {
    document.title = 'rechat';
    main.replaceChildren(login(signIn, problem));
    fill(app, h('div', { class: 'locked' }, main), toasts);
    return;
  }
  const current = (feed ??= newFeed());
  fill(app, skipLink(), header(current), main, toasts);
  show();
}

function close() {
  view?.close();
  view = undefined;
  shown = undefined;
  for (const end of ends) end();
  ends = [];
}

function newFeed() {
  const made = new Feed();
  let wasAway = false;
  made.state.watch((state) => {
    if (state === 'away') wasAway = true;
    if (state === 'live') outgoing.goOn();
  });
  followNotifications(made);
  // Those of a conversation are shown there.
  made.batch.watch((batch) => batch.forEach((event) => 'notice' in event && !event.notice.conversation && toast(noticeText(event.notice))));
  made.caughtUp.watch((n) => {
    if (wasAway) toast(n > 0 ? t('caughtUp', { n }) : t('nothingMissed'), 'good');
    wasAway = false;
  });
  return made;
}

/** Shows the view that the address names. */
function show() {
  if (!feed) return;
  const { place, parameters } = here();
  if (view?.go && place === shown) {
    view.go(parameters);
    return;
  }
  view?.close();
  view = VIEWS[place](feed, parameters);
  shown = place;
  main.dataset.place = place;
  fill(main, view.element);
  scrollTo(0, 0);
  tellUnread(feed);
  for (const anchor of app.querySelectorAll('nav a')) {
    if (anchor.getAttribute('href') === `#${place}`) anchor.setAttribute('aria-current', 'page');
    else anchor.removeAttribute('aria-current');
  }
}

/** Tells in the tab's title and on the app's icon how much is unread. @param {Feed} current */
function tellUnread({ conversations: { unread } }) {
  document.title = `${unread > 0 ? `(${unread}) ` : ''}${t(here().place)} · rechat`;
  navigator.setAppBadge?.(unread).catch(() => {});
}

function skipLink() {
  const skip = (/** @type {Event} */ event) => {
    event.preventDefault();
    main.focus();
  };
  return h('a', { class: 'skip', href: '#main', onclick: skip }, t('skip'));
}

/** @param {Feed} current */
function header(current) {
  const links = PLACES.map((place) => h('a', { href: link(place) }, icon(place), h('span', null, t(place)), mark(place, current)));
  return h(
    'header',
    { class: 'frame' },
    h('a', { class: 'brand', href: link('dashboard') }, h('span', { class: 'logo', 'aria-hidden': 'true' }), 'rechat'),
    h('nav', { 'aria-label': t('views') }, ...links),
    h('div', { class: 'settings' }, requests(current), connection(current), themeButton(), languageButton(), token() ? leaveButton() : null),
  );
}

/**
 * The marks beside the names of views: unread messages, platforms that are lost.
 * @param {import('./router.js').Place} place
 * @param {Feed} current
 */
function mark(place, current) {
  if (place === 'messages') return unreadMark(current);
  return place === 'platforms' ? platformMark(current) : null;
}

/** @param {Feed} current */
function unreadMark(current) {
  const element = h('span', { class: 'badge', role: 'img' });
  const { conversations } = current;
  const end = conversations.changed.follow(() => {
    const { unread, mentions } = conversations;
    element.hidden = unread + mentions === 0;
    element.textContent = mentions > 0 ? '@' : unread > 99 ? '99+' : String(unread);
    element.setAttribute('aria-label', t('unreadOf', { n: unread }));
    tellUnread(current);
  });
  ends.push(end);
  return element;
}

/** @param {Feed} current */
function platformMark(current) {
  const element = h('span', { class: 'platform-dot', role: 'img' });
  const tell = () => {
    const { value: adapters } = current.adapters;
    const there = new Set(adapters?.map(({ platform }) => platform));
    // After a restart the server does not know of a platform that is away, but the conversations do.
    const missing = adapters ? current.conversations.recentPlatforms().filter((platform) => !there.has(platform)) : [];
    const lost = [...(adapters ?? []).filter(({ state }) => state !== 'Connected').map(({ platform }) => platform), ...missing];
    element.hidden = there.size + missing.length === 0;
    element.dataset.state = lost.length > 0 ? 'lost' : 'fine';
    const names = [...new Set(lost.map(platformName))].join(', ');
    const text = lost.length > 0 ? t('platformsLost', { names }) : t('platformsFine');
    element.setAttribute('aria-label', text);
    element.title = text;
  };
  ends.push(current.adapters.follow(tell), current.conversations.changed.watch(tell));
  return element;
}

/** @param {Feed} current */
function requests(current) {
  const { element, close: end } = requestsButton(current);
  ends.push(end);
  return element;
}

/** @param {Feed} current */
function connection(current) {
  const text = h('span', { class: 'words' });
  const element = h('div', { class: 'connection', role: 'status' }, h('span', { class: 'dot' }), text);
  const end = current.state.follow((state) => {
    element.dataset.state = state;
    element.title = t(`${state}Long`);
    text.textContent = t(state);
  });
  ends.push(end);
  return element;
}

function themeButton() {
  const root = document.documentElement;
  const now = () => THEMES.find((theme) => theme === root.dataset.theme) ?? 'system';
  const button = h('button', { class: 'plain', onclick: next });
  function tell() {
    const name = t('theme', { theme: t(now()) });
    const icons = /** @type {const} */ ({ system: 'system', light: 'light', dark: 'theme' });
    fill(button, icon(icons[now()]), h('span', { class: 'words' }, t(now())));
    button.title = name;
    button.setAttribute('aria-label', name);
  }
  function next() {
    const theme = THEMES[(THEMES.indexOf(now()) + 1) % THEMES.length] ?? 'system';
    root.dataset.theme = theme;
    try {
      localStorage.setItem('rechat.theme', theme);
    } catch {
      // It then holds for this page alone.
    }
    tell();
  }
  tell();
  return button;
}

function languageButton() {
  const other = currentLanguage() === 'en' ? 'zh' : 'en';
  const change = async () => {
    await setLanguage(other).catch(() => toast(t('unreachable'), 'bad'));
    draw();
    /** @type {HTMLElement | null} */ (app.querySelector('.language'))?.focus();
  };
  return h('button', { class: 'plain language', lang: other, onclick: () => void change() }, LANGUAGES[other]);
}

function leaveButton() {
  const leave = () => {
    setToken('');
    forgetDrafts();
    outgoing.forget();
    isLocked.value = true;
  };
  return h('button', { class: 'plain', title: t('signOut'), 'aria-label': t('signOut'), onclick: leave }, icon('leave'), h('span', { class: 'words' }, t('signOut')));
}

function signIn() {
  problem = '';
  isLocked.value = false;
}

/** Draws the page, signed in by the code of the address where there is one. */
async function begin() {
  const code = takeSignInCode();
  if (!code) {
    draw();
    return;
  }
  try {
    await signInBy(code);
    feed?.close();
    feed = undefined;
    signIn();
  } catch (error) {
    problem = error instanceof Refused && error.status === 401 ? t('codeUsed') : errorText(error);
    // A server that needs no token shows itself all the same.
    isLocked.value = false;
  }
}

/** `Ctrl+K` searches, from anywhere. @param {KeyboardEvent} event */
function search(event) {
  if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'k' || isLocked.value) return;
  event.preventDefault();
  if (here().place !== 'messages') {
    history.pushState(null, '', link('messages'));
    show();
  }
  /** @type {HTMLElement | null} */ (app.querySelector('input[type=search]'))?.focus();
}

/** Tells a time in full where one points at it: most are never looked at. @param {Event} event */
function tellTime({ target }) {
  const element = target instanceof Element ? target.closest('time') : null;
  if (element?.dateTime) element.title = fullTime(Date.parse(element.dateTime) / 1000);
}

isLocked.watch((locked) => {
  if (locked) {
    feed?.close();
    feed = undefined;
  }
  draw();
});
addEventListener('hashchange', () => {
  if (location.hash.startsWith('#sign-in=')) {
    begin();
    return;
  }
  if (isLocked.value || location.hash === '#main') return;
  show();
});
addEventListener('keydown', search);
addEventListener('mouseover', tellTime);
loadWords().then(begin);
