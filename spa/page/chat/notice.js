import { t } from '../i18n.js';

/** @typedef {import('../types.js').Notice} Notice */

/** Kinds of notices that the page has words for. */
const KINDS = /** @type {const} */ ([
  'member_joined', 'member_left', 'member_removed', 'member_muted', 'member_unmuted', 'member_renamed', 'admin_changed', 'admin_set',
  'admin_unset', 'poke', 'friend_added', 'friend_request', 'join_request', 'file_uploaded', 'essence', 'essence_removed', 'account_offline',
]);

/** Words that a platform adds to a kind, and what it is then. @type {Record<string, string>} */
const MORE_PRECISE_KINDS = {
  'member_muted 0': 'member_unmuted',
  'admin_changed set': 'admin_set',
  'admin_changed unset': 'admin_unset',
  'essence delete': 'essence_removed',
};

/** The platform's ID of everybody in a group. */
const EVERYBODY = '0';

/** The address that follows a file's name. */
const ADDRESS = / https?:\/\/\S*$/;

/** @param {import('../types.js').Person | undefined} person */
function nameOf(person) {
  return person?.id === EVERYBODY ? t('everybody') : person?.name || person?.id || t('somebody');
}

/** @param {Notice} notice */
function preciseKind({ kind, user, operator, text }) {
  const isRemoved = kind === 'member_left' && operator && operator.id !== user?.id;
  return isRemoved ? 'member_removed' : MORE_PRECISE_KINDS[`${kind} ${text}`] ?? kind;
}

/** The text of a notice, in the reader's language where its kind is known. @param {Notice} notice */
export function noticeText(notice) {
  const { user, operator, text } = notice;
  const kind = preciseKind(notice);
  const known = KINDS.find((one) => one === kind);
  if (!known) return text;
  // A person with a new name may be known by it already.
  const named = user?.name === text ? { id: user.id } : user;
  return t(`notice_${known}`, { user: nameOf(named), operator: nameOf(operator ?? user), text: text.replace(ADDRESS, '') });
}
