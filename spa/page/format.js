import { grouped, locale, t } from './i18n.js';

/** @typedef {import('./types.js').Message} Message */

/** Formats of times by language and options: one is expensive to make, and lists need many. @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/**
 * @param {Date} date
 * @param {Intl.DateTimeFormatOptions} options
 */
function format(date, options) {
  const key = locale() + JSON.stringify(options);
  const known = formats.get(key) ?? new Intl.DateTimeFormat(locale(), options);
  formats.set(key, known);
  return known.format(date);
}

export const number = grouped;

/** @type {Intl.DateTimeFormatOptions} */
const TIME_OF_DAY = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };

/** The text for a time that no calendar has: platforms tell such ones. */
const NO_TIME = '–';

/** The date of a time, where there is one. @param {number} seconds Unix */
function dateOf(seconds) {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** A time as programs read it, where there is a date. @param {number} seconds Unix */
export const machineTime = (seconds) => dateOf(seconds)?.toISOString();

/** A time of day, with the day where it is not today's. @param {number} seconds */
export function time(seconds) {
  const date = dateOf(seconds);
  if (!date) return NO_TIME;
  const isToday = date.toDateString() === new Date().toDateString();
  /** @type {Intl.DateTimeFormatOptions} */
  const day = isToday ? {} : { month: 'short', day: 'numeric' };
  return format(date, { ...day, ...TIME_OF_DAY });
}

/** The time of day alone. @param {number} seconds */
export function clock(seconds) {
  const date = dateOf(seconds);
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0');
  return date ? `${two(date.getHours())}:${two(date.getMinutes())}` : NO_TIME;
}

/** A time as briefly as a list needs it: of today, of this week, or the day. @param {number} seconds */
export function shortTime(seconds) {
  const date = dateOf(seconds);
  if (!date) return NO_TIME;
  const days = daysAgo(date);
  if (days <= 0) return clock(seconds);
  if (days < 7) return format(date, { weekday: 'short' });
  const day = `${date.getMonth() + 1}/${date.getDate()}`;
  const year = date.getFullYear();
  if (year === new Date().getFullYear()) return day;
  return locale() === 'en' ? `${day}/${year}` : `${year}/${day}`;
}

/** A day as people call it. @param {number} seconds */
export function dayName(seconds) {
  const date = dateOf(seconds);
  if (!date) return NO_TIME;
  const days = daysAgo(date);
  if (days === 0 || days === 1) return t(days === 0 ? 'today' : 'yesterday');
  return format(date, { weekday: 'long', month: 'long', day: 'numeric', ...yearOf(date) });
}

/** The year, where it is not this one. @param {Date} date @returns {Intl.DateTimeFormatOptions} */
const yearOf = (date) => (date.getFullYear() === new Date().getFullYear() ? {} : { year: 'numeric' });

/** Midnights between a time and now. @param {Date} date */
const daysAgo = (date) => Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86_400_000);

/**
 * @param {number} a Unix seconds
 * @param {number} b Unix seconds
 */
export const isSameDay = (a, b) => new Date(a * 1000).toDateString() === new Date(b * 1000).toDateString();

/** @param {number} seconds */
export function fullTime(seconds) {
  const date = dateOf(seconds);
  return date ? format(date, { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' }) : NO_TIME;
}

/** How long ago. @param {number} seconds Unix */
export function ago(seconds) {
  const past = Math.max(0, Date.now() / 1000 - seconds);
  const relative = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' });
  if (past < 60) return t('justNow');
  if (past < 3600) return relative.format(-Math.floor(past / 60), 'minute');
  if (past < 86_400) return relative.format(-Math.floor(past / 3600), 'hour');
  return relative.format(-Math.floor(past / 86_400), 'day');
}

/** The length of a sound, as `1:05`. @param {number} seconds */
export const duration = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;

/** @param {number} bytes */
export function size(bytes) {
  if (bytes < 1000) return `${number(bytes)} B`;
  if (bytes < 1e6) return `${number(Math.round(bytes / 1000))} kB`;
  return `${number(Math.round(bytes / 1e5) / 10)} MB`;
}

/** Platforms as people write them. A map, for a platform may be called `__proto__`. */
const PLATFORMS = new Map([['qq', 'QQ'], ['telegram', 'Telegram'], ['loopback', 'Loopback']]);

/** The name of a platform as people write it. @param {string | undefined} platform */
export function platformName(platform) {
  if (!platform || platform === 'local') return t('noPlatform');
  return platform === 'wechat' ? t('wechat') : PLATFORMS.get(platform) ?? platform;
}

/** The name of the writer. @param {Message} message */
export function author(message) {
  if (message.direction === 'Inbound') return message.sender?.name || message.sender?.id || message.recipient;
  return message.sender?.name || t('you');
}
