// Notifications of the browser, if the user turned them on.

import { lineOf } from './content.js';
import { author } from './format.js';
import { conversationName, isPrivate, keyOf } from './names.js';
import { preferences } from './preferences.js';
import { here, link } from './router.js';

/** @typedef {import('./types.js').Message} Message */

/** Age up to which a message is news, in seconds: what a reconnect brings is older. */
const MAX_AGE = 60;

/** How long a tab that does not show a message leaves it to one that does, in milliseconds. */
const OTHER_TABS_TIME = 300;

/** The sound of a message: pitch in Hz, length in seconds. */
const SOUND = { pitch: 660, length: 0.15 };

/** Notifications that are shown, by conversation. @type {Map<string, {platform: string | undefined, conversation: string, shown: Notification}>} */
const open = new Map();

/** Whether a page can notify here: on Android, browsers leave that to push messages. */
const canNotify = () => 'Notification' in globalThis && !/Android/.test(navigator.userAgent);

/** Whether the browser lets this page notify now. */
export const mayNotify = () => canNotify() && Notification.permission === 'granted';

/** Asks the browser for its permission; whether it is given. */
export async function askToNotify() {
  return canNotify() && (await Notification.requestPermission()) === 'granted';
}

/**
 * Notifies of messages that are not on the screen: in one tab, and in none where another one shows it.
 * @param {import('./feed.js').Feed} feed
 */
export function followNotifications(feed) {
  feed.conversations.changed.watch(() => closeRead(feed));
  return feed.batch.watch((batch) => {
    const { notifications, sound } = preferences.value;
    if (!notifications && !sound) return;
    const told = batch.flatMap((event) => ('message' in event && isWanted(event.message, feed) ? [event.message] : []));
    if (told.length > 0) void tell(told.slice(-3), feed, { notifications, sound });
  });
}

/**
 * @param {Message[]} messages
 * @param {import('./feed.js').Feed} feed
 * @param {{notifications: boolean, sound: boolean}} by
 */
async function tell(messages, feed, { notifications, sound }) {
  const ours = await Promise.all(messages.map((message) => isOurs(message, feed)));
  const told = messages.filter((_, at) => ours[at]);
  if (sound && told.length > 0) play();
  if (notifications) told.forEach(notify);
}

/**
 * Whether this tab is the one that tells of a message.
 * @param {Message} message
 * @param {import('./feed.js').Feed} feed
 */
async function isOurs(message, feed) {
  if (isSeen(message)) {
    await claim(message);
    return false;
  }
  await new Promise((resolve) => setTimeout(resolve, OTHER_TABS_TIME));
  const isUnread = !!feed.conversations.get(message.platform, message.recipient)?.unread;
  return isUnread && (await claim(message));
}

/** Takes a message, so that no other tab tells of it; false where another one did. @param {Message} message @returns {Promise<boolean>} */
function claim({ id }) {
  // Browsers have locks in secure pages only, and so are notifications.
  if (!('locks' in navigator)) return Promise.resolve(true);
  return new Promise((resolve) => {
    void navigator.locks.request(`rechat.notify.${id}`, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock && new Promise((end) => setTimeout(end, MAX_AGE * 1000));
    });
  });
}

/**
 * Whether a message is one to be told of, here or in another tab.
 * @param {Message} message
 * @param {import('./feed.js').Feed} feed
 */
function isWanted(message, feed) {
  if (message.direction !== 'Inbound' || Date.now() / 1000 - message.created_at > MAX_AGE) return false;
  const entry = feed.conversations.get(message.platform, message.recipient);
  const isMention = message.segments?.some((segment) => segment.type === 'mention_all' || (segment.type === 'mention' && segment.me)) ?? false;
  const rule = preferences.value.notify[keyOf(message.platform, message.recipient)];
  if (rule === 'none' || (entry?.muted && rule === undefined)) return false;
  return rule === 'all' || isMention || (rule === undefined && isPrivate({ kind: entry?.kind, conversation: message.recipient }));
}

/** Whether its conversation is open and visible. @param {Message} message */
function isSeen(message) {
  const { place, parameters } = here();
  const isOpen = place === 'messages' && parameters.get('platform') === message.platform && parameters.get('conversation') === message.recipient;
  return isOpen && !document.hidden && document.hasFocus();
}

/** @param {Message} message */
function notify(message) {
  const { platform, recipient: conversation } = message;
  const name = conversationName(message);
  const who = author(message);
  const options = { body: name === who ? lineOf(message) : `${who}: ${lineOf(message)}`, tag: keyOf(platform, conversation), renotify: true, silent: true };
  try {
    const shown = new Notification(name, options);
    open.set(keyOf(platform, conversation), { platform, conversation, shown });
    shown.onclick = () => {
      focus();
      location.hash = link('messages', { platform, conversation });
      shown.close();
    };
  } catch {
    // Browsers of phones allow it to service workers only.
  }
}

/** Takes back what was read, here or elsewhere. @param {import('./feed.js').Feed} feed */
function closeRead({ conversations }) {
  for (const [key, { platform, conversation, shown }] of open) {
    if (conversations.get(platform, conversation)?.unread) continue;
    shown.close();
    open.delete(key);
  }
}

function play() {
  const context = new AudioContext();
  const tone = new OscillatorNode(context, { frequency: SOUND.pitch });
  const volume = new GainNode(context, { gain: 0.08 });
  tone.connect(volume).connect(context.destination);
  tone.onended = () => void context.close();
  tone.start();
  tone.stop(context.currentTime + SOUND.length);
}
