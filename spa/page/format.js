import { locale, t } from './i18n.js';

/** @typedef {import('./types.js').Message} Message */

/** @param {number} n */
export const number = (n) => n.toLocaleString(locale());

/** What stands for a time that no calendar has: platforms tell such ones. */
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
  return date.toLocaleString(locale(), { ...day, hour: '2-digit', minute: '2-digit', hour12: false });
}

/** @param {number} seconds */
export function fullTime(seconds) {
  return dateOf(seconds)?.toLocaleString(locale(), { dateStyle: 'medium', timeStyle: 'medium', hour12: false }) ?? NO_TIME;
}

/** How long ago. @param {number} seconds Unix */
export function ago(seconds) {
  const past = Math.max(0, Date.now() / 1000 - seconds);
  const format = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' });
  if (past < 60) return t('justNow');
  if (past < 3600) return format.format(-Math.floor(past / 60), 'minute');
  if (past < 86_400) return format.format(-Math.floor(past / 3600), 'hour');
  return format.format(-Math.floor(past / 86_400), 'day');
}

/** @param {number} bytes */
export function size(bytes) {
  if (bytes < 1024) return `${number(bytes)} B`;
  if (bytes < 1024 * 1024) return `${number(Math.round(bytes / 1024))} kB`;
  return `${number(Math.round(bytes / 1024 / 102.4) / 10)} MB`;
}

/** Platforms as people write them. A map, for a platform may be called `__proto__`. */
const PLATFORMS = new Map([['qq', 'QQ'], ['wechat', 'WeChat'], ['loopback', 'Loopback']]);

/** The name of a platform as people write it. @param {string | undefined} platform */
export function platformName(platform) {
  if (!platform || platform === 'local') return t('noPlatform');
  return PLATFORMS.get(platform) ?? platform;
}

/** Who wrote it. @param {Message} message */
export function author(message) {
  if (message.direction === 'Inbound') return message.sender?.name || message.sender?.id || message.recipient;
  return message.sender?.name || t('you');
}
