import { t } from '../i18n.js';

/** Kinds of notices that the page has words for. */
const KINDS = /** @type {const} */ (['member_joined', 'member_left', 'member_muted', 'admin_changed', 'poke', 'file_uploaded', 'essence']);

/** @param {import('../types.js').Person | undefined} person */
const nameOf = (person) => person?.name || person?.id || t('somebody');

/** What happened, in the reader's language where it is known. @param {import('../types.js').Notice} notice */
export function noticeText({ kind, user, operator, text }) {
  const known = KINDS.find((one) => one === kind);
  return known ? t(`notice_${known}`, { user: nameOf(user), operator: nameOf(operator ?? user) }) : text;
}
