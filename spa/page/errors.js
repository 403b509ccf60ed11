// Errors and reasons in the reader's language.

import { Refused } from './api.js';
import { time } from './format.js';
import { isWord, locale, t } from './i18n.js';

/** @typedef {import('./types.js').Message} Message */

/** The text of an error. @param {unknown} error */
export function errorText(error) {
  if (!(error instanceof Refused)) return String(error);
  if (error.status === 0) return t('unreachable');
  const known = reasonText('', error.code, error.detail);
  if (known) return known;
  // The contract's own texts have no code, and a proxy has its own.
  if (error.status === 404) return t('error_not_found');
  if (locale() === 'en' && error.message) return error.message;
  return t('answered', { status: error.status }) + (error.message ? `：${error.message}` : '');
}

/**
 * A reason by its code, with what others said behind it; as the server words it where the code has no words here.
 * @param {string} text
 * @param {string} [code]
 * @param {string} [detail]
 */
export function reasonText(text, code, detail) {
  const word = `error_${code}`;
  if (!isWord(word)) return text;
  if (!detail) return t(word);
  const said = code === 'next_attempt' ? time(Date.parse(detail) / 1000) : detail;
  return t(word).slice(0, -1) + (locale() === 'en' ? ': ' : '：') + said;
}

/** Why a message waits. @param {Message} message */
export const waitingText = ({ waiting, waiting_code, waiting_detail }) => waiting && reasonText(waiting, waiting_code, waiting_detail);

/** Why an adapter or a bot is in its state. @param {import('./types.js').Reasons} of */
export const reasonOf = ({ reason, reason_code, reason_detail }) => reason && reasonText(reason, reason_code, reason_detail);

/** Why the last attempt failed: to send a message, or to connect. @param {Pick<Message, 'last_error' | 'last_error_code' | 'last_error_detail'>} of */
export const failureText = ({ last_error, last_error_code, last_error_detail }) => last_error && reasonText(last_error, last_error_code, last_error_detail);
