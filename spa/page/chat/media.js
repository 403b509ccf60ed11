import { fetchMedia } from '../api.js';
import { MEDIA_WORDS, isVoice } from '../content.js';
import { fill, h } from '../dom.js';
import { errorText, reasonText } from '../errors.js';
import { duration, size } from '../format.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { fileNameOf, visible, webAddress } from '../media.js';
import { fullAddress, holds, isHere, smallAddress } from './blob.js';
import { openViewer } from './viewer.js';

/** @typedef {import('../types.js').Segment} Segment */

/** The largest picture in a conversation, and one whose size is not told, in pixels. */
const MAX_SIZE = { width: 360, height: 320 };
const UNKNOWN = { width: 240, height: 180 };

/** Sounds and videos that were asked for, by their messages: they play as soon as they are here. @type {Set<string>} */
const toPlay = new Set();

/**
 * A picture, sound, video or file. What is kept by the server is shown at once; what is elsewhere
 * once it is asked for, for its host learns who looks.
 * @param {Segment} segment
 * @param {string} message ID of the message it is in
 */
export function medium(segment, message) {
  const element = h('div', { class: `medium ${segment.type}` });
  if (isHere(segment)) {
    reserve(element, segment);
    void show(element, segment, message);
  } else if (segment.failure) {
    const { reason, code, detail } = segment.failure;
    fill(element, notHere(element, segment, message, reasonText(reason, code, detail)));
  } else {
    reserve(element, segment);
    fill(element, asked(element, segment, message));
  }
  const said = segment.text && segment.type !== 'file' ? h('p', { class: 'said' }, segment.text) : null;
  return said ? h('div', null, element, said) : element;
}

/** Keeps the place of a picture or video, so that nothing moves when it comes. @param {HTMLElement} element @param {Segment} segment */
function reserve(element, { type, width = UNKNOWN.width, height = UNKNOWN.height }) {
  if (type !== 'image' && type !== 'video') return;
  const scale = Math.min(1, MAX_SIZE.width / width, MAX_SIZE.height / height);
  element.style.width = `${Math.max(48, Math.round(width * scale))}px`;
  element.style.aspectRatio = `${width} / ${height}`;
}

/** @param {Segment} segment */
const nameOfMedium = (segment) => (isVoice(segment) ? t('voice') : '') || visible(segment.name || segment.summary || '') || nameInAddress(segment) || t(MEDIA_WORDS[/** @type {keyof typeof MEDIA_WORDS} */ (segment.type)]);

/** The file's name in an address; many have none. @param {Segment} segment */
function nameInAddress({ url = '' }) {
  const address = webAddress(url);
  return address && /\.\w{2,5}$/.test(address.pathname) ? fileNameOf(address) : '';
}

/**
 * @param {HTMLElement} element
 * @param {Segment} segment
 * @param {string} message
 */
async function show(element, segment, message) {
  const failed = () => fill(element, lost());
  if (segment.type === 'file') return fill(element, fileCard(segment));
  if (segment.type === 'image') {
    const small = await smallAddress(segment);
    // A picture that the server cannot make small is shown as it is.
    const whole = async () => {
      const address = await fullAddress(segment);
      if (address) fill(element, picture(segment, address, failed));
      else failed();
    };
    return small ? fill(element, picture(segment, small, () => void whole())) : whole();
  }
  const address = await fullAddress(segment);
  if (!address) return failed();
  const made = player(segment, address, failed);
  made.autoplay = toPlay.delete(message);
  return fill(element, made);
}

const lost = () => h('p', { class: 'lost muted' }, t('cannotShow'));

/**
 * The button in place of a medium that is elsewhere.
 * @param {HTMLElement} element
 * @param {Segment} segment
 * @param {string} message
 */
function asked(element, segment, message) {
  const url = webAddress(segment.url ?? '');
  const details = [segment.duration ? duration(segment.duration) : '', segment.size === undefined ? '' : size(segment.size), url ? t('loadsFrom', { host: url.host }) : ''];
  const button = h(
    'button',
    { class: 'ask', onclick: () => void load(element, segment, message, button) },
    icon(segment.type === 'file' ? 'file' : segment.type === 'image' ? 'image' : 'play'),
    h('span', null, h('strong', null, nameOfMedium(segment)), h('small', null, details.filter(Boolean).join(' · '))),
  );
  return button;
}

/**
 * Has the server fetch it. The message changes when its media come, or fail, and is drawn anew.
 * @param {HTMLElement} element
 * @param {Segment} segment
 * @param {string} message
 * @param {HTMLButtonElement} button
 */
async function load(element, segment, message, button) {
  button.disabled = true;
  if (segment.type === 'audio' || segment.type === 'video') toPlay.add(message);
  const why = await fetchMedia(message).then(() => '', errorText);
  if (why) toPlay.delete(message);
  if (why && element.isConnected) fill(element, notHere(element, segment, message, why));
}

/**
 * The card in place of a medium that could not be fetched: the reason, and what can be done.
 * @param {HTMLElement} element
 * @param {Segment} segment
 * @param {string} message
 * @param {string} reason
 */
function notHere(element, segment, message, reason) {
  element.removeAttribute('style');
  const url = webAddress(segment.url ?? '');
  const again = h('button', { class: 'small', onclick: () => void load(element, segment, message, again) }, icon('retry'), t('tryAgain'));
  return h(
    'div',
    { class: 'not-here' },
    h('strong', null, nameOfMedium(segment)),
    h('small', null, t('notHere', { reason })),
    h('span', null, again, url ? h('a', { href: url.href, target: '_blank', rel: 'noopener noreferrer nofollow' }, t('openAt', { host: url.host })) : null),
  );
}

/**
 * @param {Segment} segment
 * @param {string} address
 * @param {() => void} failed
 */
function picture(segment, address, failed) {
  const name = nameOfMedium(segment);
  const look = async (/** @type {Segment} */ one) => ({ address: (await fullAddress(one)) ?? (one === segment ? address : undefined), name: nameOfMedium(one) });
  return h(
    'button',
    { class: 'picture', 'aria-label': t('openImage', { name }), onclick: () => void openViewer(segment, look) },
    h('img', { src: address, alt: segment.text || segment.summary || name, referrerpolicy: 'no-referrer', loading: 'lazy', decoding: 'async', onerror: failed }),
  );
}

/**
 * A sound or video, which the browser loads as far as it is played. It goes on at the same second
 * once its address has run out.
 * @param {Segment} segment
 * @param {string} address
 * @param {() => void} failed
 */
function player(segment, address, failed) {
  const renew = async () => {
    const isOver = !holds(element.src);
    const fresh = isOver ? await fullAddress(segment) : undefined;
    if (!fresh) return failed();
    const { currentTime, paused } = element;
    element.src = fresh;
    element.currentTime = currentTime;
    if (!paused) await element.play().catch(() => undefined);
    return undefined;
  };
  const element = h(segment.type === 'audio' ? 'audio' : 'video', {
    src: address,
    controls: true,
    preload: 'metadata',
    'aria-label': nameOfMedium(segment),
    onerror: () => void renew(),
  });
  return element;
}

/** A file, whose address is asked for when it is saved. @param {Segment} segment */
function fileCard(segment) {
  const save = async () => {
    const href = await fullAddress(segment);
    if (href) h('a', { href, download: visible(segment.name ?? '') }).click();
    else card.replaceWith(lost());
  };
  const details = segment.size === undefined ? t('saveFile') : size(segment.size);
  const card = h('button', { class: 'file-card', onclick: () => void save() }, icon('file'), h('span', null, h('strong', null, nameOfMedium(segment)), h('small', null, details)));
  return card;
}
