import { Refused } from './api.js';
import { t } from './i18n.js';

/** Codes of errors that the page has words for. */
const CODES = /** @type {const} */ (['unsupported', 'not_sent', 'in_flight', 'other_status', 'not_connected', 'unknown', 'not_found', 'no_forward', 'no_media', 'unknown_media', 'unknown_reply', 'media_full', 'too_large']);

/** What went wrong, in the reader's language where it is known. @param {unknown} error */
export function errorText(error) {
  if (!(error instanceof Refused)) return String(error);
  if (error.status === 0) return t('unreachable');
  if (error.code === 'refused') return t('error_refused', { why: error.message });
  const known = CODES.find((code) => code === error.code);
  return known ? t(`error_${known}`) : error.message;
}
