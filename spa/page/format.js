import { locale, t } from './i18n.js';

/** @typedef {import('./types.js').Message} Message */

/** @param {number} n */
export const number = (n) => n.toLocaleString(locale());

/** A time of day, with the day where it is not today's. @param {number} seconds */
export function time(seconds) {
  const date = new Date(seconds * 1000);
  const isToday = date.toDateString() === new Date().toDateString();
  /** @type {Intl.DateTimeFormatOptions} */
  const day = isToday ? {} : { month: 'short', day: 'numeric' };
  return date.toLocaleString(locale(), { ...day, hour: '2-digit', minute: '2-digit', hour12: false });
}

/** @param {number} seconds */
export function fullTime(seconds) {
  return new Date(seconds * 1000).toLocaleString(locale(), { dateStyle: 'medium', timeStyle: 'medium', hour12: false });
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

/** The name of a platform as people write it. @param {string | undefined} platform */
export function platformName(platform) {
  /** @type {Record<string, string>} */
  const names = { qq: 'QQ', wechat: 'WeChat', loopback: 'Loopback' };
  if (!platform || platform === 'local') return t('noPlatform');
  return names[platform] ?? platform;
}

/** Who wrote it. @param {Message} message */
export function author(message) {
  if (message.direction === 'Inbound') return message.sender?.name || message.sender?.id || message.recipient;
  return message.sender?.name || t('you');
}
