import { fetchMedia } from '../api.js';
import { MEDIA_WORDS } from '../content.js';
import { fill, h } from '../dom.js';
import { size } from '../format.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { webAddress } from '../media.js';
import { isHere, localAddress } from './blob.js';
import { openViewer } from './viewer.js';

/** @typedef {import('../types.js').Segment} Segment */

/** The largest picture in a conversation, and one whose size is not told, in pixels. */
const LARGEST = { width: 360, height: 320 };
const UNKNOWN = { width: 240, height: 180 };

/**
 * A picture, sound, video or file. What is kept by the server is shown at once; what is elsewhere
 * once it is asked for, for its host learns who looks.
 * @param {Segment} segment
 * @param {string} message ID of the message it is in
 */
export function medium(segment, message) {
  const element = h('div', { class: `medium ${segment.type}` });
  if (segment.type === 'image' || segment.type === 'video') reserve(element, segment);
  if (isHere(segment)) void show(element, segment);
  else fill(element, asked(element, segment, message));
  const said = segment.text && segment.type !== 'file' ? h('p', { class: 'said' }, segment.text) : null;
  return said ? h('div', null, element, said) : element;
}

/** Keeps the place of a picture, so that nothing moves when it comes. @param {HTMLElement} element @param {Segment} segment */
function reserve(element, { width = UNKNOWN.width, height = UNKNOWN.height }) {
  const scale = Math.min(1, LARGEST.width / width, LARGEST.height / height);
  element.style.width = `${Math.max(48, Math.round(width * scale))}px`;
  element.style.aspectRatio = `${width} / ${height}`;
}

/** @param {Segment} segment */
const nameOfMedium = (segment) => segment.name || segment.summary || t(MEDIA_WORDS[/** @type {keyof typeof MEDIA_WORDS} */ (segment.type)]);

/**
 * @param {HTMLElement} element
 * @param {Segment} segment
 */
async function show(element, segment) {
  const address = await localAddress(segment);
  if (address) fill(element, player(segment, address, () => fill(element, lost())));
  else fill(element, lost());
}

const lost = () => h('p', { class: 'lost muted' }, t('cannotShow'));

/**
 * What stands for a medium that is elsewhere.
 * @param {HTMLElement} element
 * @param {Segment} segment
 * @param {string} message
 */
function asked(element, segment, message) {
  const url = webAddress(segment.url ?? '');
  const load = async () => {
    button.disabled = true;
    // The message changes when its media come, and is drawn anew.
    const isFetched = await fetchMedia(message).then(() => true, () => false);
    if (isFetched || !element.isConnected) return;
    if (url) fill(element, player(segment, url.href, () => fill(element, lost())));
    else fill(element, lost());
  };
  const details = [segment.size === undefined ? '' : size(segment.size), url ? t('loadsFrom', { host: url.host }) : ''];
  const button = h(
    'button',
    { class: 'ask', onclick: () => void load() },
    icon(segment.type === 'file' ? 'file' : segment.type === 'image' ? 'image' : 'play'),
    h('span', null, h('strong', null, nameOfMedium(segment)), h('small', null, details.filter(Boolean).join(' · '))),
  );
  return button;
}

/**
 * @param {Segment} segment
 * @param {string} address
 * @param {() => void} failed
 */
function player(segment, address, failed) {
  const name = nameOfMedium(segment);
  switch (segment.type) {
    case 'image':
      return h(
        'button',
        { class: 'picture', 'aria-label': t('openImage', { name }), onclick: () => openViewer(address, name) },
        h('img', { src: address, alt: segment.text || segment.summary || name, referrerpolicy: 'no-referrer', loading: 'lazy', decoding: 'async', onerror: failed }),
      );
    case 'audio':
      return h('audio', { src: address, controls: true, preload: 'metadata', 'aria-label': name, onerror: failed });
    case 'video':
      return h('video', { src: address, controls: true, preload: 'metadata', 'aria-label': name, onerror: failed });
    default:
      return h(
        'a',
        { class: 'file-card', href: address, download: segment.name ?? '', target: '_blank', rel: 'noopener noreferrer' },
        icon('file'),
        h('span', null, h('strong', null, name), h('small', null, segment.size === undefined ? t('saveFile') : size(segment.size))),
      );
  }
}
