import { isMedia, lineOf } from '../content.js';
import { fill, h } from '../dom.js';
import { fullTime } from '../format.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { splitAtAddresses } from '../links.js';
import { webAddress } from '../media.js';
import { medium } from './media.js';

/** @typedef {import('../types.js').Segment} Segment */

/** Characters of text shown at once. */
const MUCH = 20_000;

/** Messages of a forward that its card shows. */
const FORWARD_LINES = 4;

/** A message of a few emoji and nothing else is shown large. */
const ONLY_EMOJI = /^(?:\p{RGI_Emoji}\s?){1,3}$/v;

/**
 * The content of a message: lines of text with what is written in them, and what stands alone.
 * @param {Segment[]} segments
 * @param {string} message ID of the message
 */
export function content(segments, message) {
  /** @type {HTMLElement[]} */
  const blocks = [];
  /** @type {HTMLElement | undefined} */
  let line;
  for (const segment of segments) {
    const inline = inlineOf(segment);
    if (inline) {
      if (!line) blocks.push((line = h('p', { class: 'text' })));
      line.append(...inline);
    } else {
      blocks.push(blockOf(segment, message));
      line = undefined;
    }
  }
  const isEmoji = blocks.length === 1 && line && ONLY_EMOJI.test((line.textContent ?? '').trim());
  if (isEmoji) line?.classList.add('large');
  return blocks;
}

/** @param {Segment} segment @returns {(Node | string)[] | undefined} */
function inlineOf(segment) {
  switch (segment.type) {
    case 'text':
      return text(segment.text ?? '');
    case 'mention':
      return [h('span', { class: segment.me ? 'mention me' : 'mention', title: segment.user }, `@${segment.name || segment.user}`)];
    case 'mention_all':
      return [h('span', { class: 'mention me' }, `@${t('everybody')}`)];
    case 'emoji':
      return [h('span', { class: 'face' }, segment.name || t('emoji'))];
    default:
      return undefined;
  }
}

/** Text with its web addresses made links; the rest of a very long one on demand. @param {string} value */
export function text(value) {
  if (value.length <= MUCH) return linked(value);
  const rest = h('span');
  const more = h('button', { onclick: () => fill(rest, ...linked(value.slice(MUCH))) }, t('showRest', { n: value.length - MUCH }));
  fill(rest, more);
  return [...linked(value.slice(0, MUCH)), rest];
}

/** @param {string} value */
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
  if (segment.type === 'forward') return forward(segment, message);
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

/**
 * Messages of elsewhere: their first lines, and all of them when opened.
 * @param {Segment} segment
 * @param {string} message
 */
function forward({ title, items = [] }, message) {
  const name = title || t('forward');
  const lines = items.slice(0, FORWARD_LINES).map((item) => h('span', null, `${personName(item.sender)}: ${lineOf(asMessage(item.segments))}`));
  const inside = [h('strong', null, icon('forward'), name), ...lines];
  if (items.length === 0) return h('div', { class: 'card-segment' }, inside);
  const open = () => openForward(name, items, message);
  return h('button', { class: 'card-segment', onclick: open }, inside, h('small', null, t('openForward', { n: items.length })));
}

/** @param {import('../types.js').Person | undefined} person */
const personName = (person) => person?.name || person?.id || t('unknown');

/** @param {Segment[]} segments */
const asMessage = (segments) => /** @type {import('../types.js').Message} */ ({ segments, content: '', message_type: 'Text' });

/**
 * @param {string} title
 * @param {NonNullable<Segment['items']>} items
 * @param {string} message
 */
function openForward(title, items, message) {
  const entries = items.map((item) =>
    h(
      'li',
      null,
      h('div', { class: 'forward-head' }, h('strong', null, personName(item.sender)), item.created_at ? h('time', { class: 'muted' }, fullTime(item.created_at)) : null),
      ...content(item.segments, message),
    ),
  );
  const dialog = h('dialog', { class: 'sheet', 'aria-label': title, onclose: () => dialog.remove(), onclick: (/** @type {Event} */ event) => {
    if (event.target === dialog) dialog.close();
  } }, h('div', { class: 'title' }, h('h2', null, title), h('button', { class: 'plain', 'aria-label': t('close'), title: 'Esc', onclick: () => dialog.close() }, icon('close'))), h('ul', { class: 'forwarded' }, ...entries));
  document.body.append(dialog);
  dialog.showModal();
}
