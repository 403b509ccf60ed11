import { isMedia } from '../content.js';
import { fill, h } from '../dom.js';
import { t } from '../i18n.js';
import { splitAtAddresses } from '../links.js';
import { webAddress } from '../media.js';
import { faceOf } from './faces.js';
import { forward } from './forwarded.js';
import { medium } from './media.js';

/** @typedef {import('../types.js').Segment} Segment */

/** Characters of text shown at once. */
const MAX_SHOWN = 20_000;

/** A message of a few emoji and nothing else is shown large. */
const ONLY_EMOJI = /^(?:\p{RGI_Emoji}\s?){1,3}$/v;

/** Whether there may be an emoji, and one at the beginning; looked at first, for the other one takes 70 ms to compile. */
const MAY_BE_EMOJI = /[\u203c-\u2bff\u3297\u3299\ud83c-\ud83e]|\ufe0f/;
const BEGINS_WITH_EMOJI = /^(?:\p{Extended_Pictographic}|\p{RI}|.\ufe0f)/u;

/** Code as people write it: between three backticks, or on one line between two. */
const CODE = /(```[^]+?```|`[^`\n]+`)/;

/**
 * The content of a message: lines of text with what is written in them, and what stands alone.
 * @param {Segment[]} segments
 * @param {string} message ID of the message
 */
export function blocksOf(segments, message) {
  /** @type {HTMLElement[]} */
  const blocks = [];
  /** @type {HTMLElement | undefined} */
  let line;
  segments.forEach((segment, at) => {
    const inline = inlineOf(segment);
    if (inline) {
      if (!line) blocks.push((line = h('p', { class: 'text' })));
      line.append(...inline);
      return;
    }
    const block = blockOf(segment, message);
    line = undefined;
    if (!isPicture(segment) || !(isPicture(segments[at - 1]) || isPicture(segments[at + 1]))) blocks.push(block);
    else if (isPicture(segments[at - 1])) blocks.at(-1)?.append(block);
    else blocks.push(h('div', { class: 'album' }, block));
  });
  const said = blocks.length === 1 && line ? (line.textContent ?? '').trim() : '';
  const isEmoji = MAY_BE_EMOJI.test(said.slice(0, 4)) && BEGINS_WITH_EMOJI.test(said) && ONLY_EMOJI.test(said);
  if (isEmoji) line?.classList.add('large');
  return blocks;
}

/** Pictures that follow each other stand side by side. @param {Segment | undefined} segment */
const isPicture = (segment) => segment?.type === 'image' && !segment.text && !segment.failure;

/** @param {Segment} segment @returns {(Node | string)[] | undefined} */
function inlineOf(segment) {
  switch (segment.type) {
    case 'text':
      return text(segment.text ?? '');
    case 'mention':
      return [h('span', { class: segment.me ? 'mention me' : 'mention', title: segment.user }, `@${segment.name || (segment.me ? t('you') : segment.user)}`)];
    case 'mention_all':
      return [h('span', { class: 'mention me' }, `@${t('everybody')}`)];
    case 'emoji':
      return [face(segment)];
    default:
      return undefined;
  }
}

/** A face of the platform: as an emoji where one says the same, else by its name. @param {Segment} segment */
function face({ id, name = t('emoji') }) {
  const glyph = faceOf(id);
  return glyph ? h('span', { class: 'glyph', role: 'img', 'aria-label': name, title: name }, glyph) : h('span', { class: 'face' }, name);
}

/** Text with its code and web addresses; the rest of a very long one on demand. @param {string} value */
export function text(value) {
  if (value.length <= MAX_SHOWN) return marked(value);
  const rest = h('span');
  const more = h('button', { onclick: () => fill(rest, ...linked(value.slice(MAX_SHOWN))) }, t('showRest', { n: value.length - MAX_SHOWN }));
  fill(rest, more);
  return [...linked(value.slice(0, MAX_SHOWN)), rest];
}

/** Text with its code set apart; no character of it is left out. @param {string} value */
const marked = (value) => value.split(CODE).flatMap((part, at) => (at % 2 === 1 ? [code(part)] : linked(part)));

/** @param {string} part @returns {Node | string} */
const code = (part) => h('code', part.startsWith('```') ? { class: 'block' } : null, part);

/** Text with its web addresses made links. @param {string} value @returns {(Node | string)[]} */
const linked = (value) => splitAtAddresses(value).map((part, at) => (at % 2 === 1 && webAddress(part) ? anchor(part, part) : part));

/**
 * @param {string} href
 * @param {...(Node | string)} children
 */
const anchor = (href, ...children) => h('a', { href, target: '_blank', rel: 'noopener noreferrer nofollow' }, ...children);

/**
 * @param {Segment} segment
 * @param {string} message
 */
function blockOf(segment, message) {
  if (isMedia(segment)) return medium(segment, message);
  if (segment.type === 'forward') return forward(segment, message, blocksOf);
  if (segment.type === 'location') return place(segment);
  if (segment.type === 'card') return card(segment.title || segment.text || t('card'), segment.title ? segment.text : '', segment.url);
  return h('p', { class: 'text muted' }, segment.text || `[${segment.name}]`);
}

/**
 * @param {string} title
 * @param {string | undefined} details
 * @param {string | undefined} url
 */
function card(title, details, url) {
  const address = webAddress(url ?? '');
  const inside = [h('strong', null, title), details ? h('span', null, details) : null, address ? h('small', null, address.host) : null];
  return address ? fillIn(anchor(address.href), inside) : h('div', { class: 'card-segment' }, inside);
}

/**
 * @param {HTMLElement} element
 * @param {import('../dom.js').Child[]} children
 */
function fillIn(element, children) {
  element.className = 'card-segment';
  fill(element, children);
  return element;
}

/** @param {Segment} segment */
function place({ title, address, latitude = 0, longitude = 0 }) {
  const at = `${latitude.toFixed(5)}, ${longitude.toFixed(5)}`;
  const map = `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=16/${latitude}/${longitude}`;
  return card(`📍 ${title || t('location')}`, address || at, map);
}
