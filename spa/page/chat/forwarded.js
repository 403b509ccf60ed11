// Messages of elsewhere that were passed on as one.

import { openForward } from '../api.js';
import { lineOf } from '../content.js';
import { fill, h } from '../dom.js';
import { errorText } from '../errors.js';
import { fullTime } from '../format.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';

/** @typedef {import('../types.js').Segment} Segment */
/** @typedef {NonNullable<Segment['items']>} Items */
/** @typedef {(segments: Segment[], message: string) => HTMLElement[]} Show shows segments */

/** Messages of a forward that its card shows. */
const MAX_LINES = 4;

/**
 * The card of a forward: its first lines as far as they are known, and all of them when opened.
 * @param {Segment} segment
 * @param {string} message ID of the message it is in
 * @param {Show} show
 */
export function forward({ title, items = [], id }, message, show) {
  const name = title || t('forward');
  const lines = items.slice(0, MAX_LINES).map((item) => h('span', null, `${personName(item.sender)}: ${lineOf(asMessage(item.segments))}`));
  const inside = [h('strong', null, icon('forward'), name), ...lines];
  if (items.length === 0 && !id) return h('div', { class: 'card-segment' }, inside);
  const small = h('small', null, items.length > 0 ? t('openForward', { n: items.length }) : t('openUnknownForward'));
  return h('button', { class: 'card-segment', onclick: () => open(name, items.length > 0 ? items : askFor(message, id), message, show) }, inside, small);
}

/**
 * @param {string} message
 * @param {string | undefined} id
 * @returns {Promise<Items>}
 */
const askFor = async (message, id) => (await openForward(message, id)).items;

/** @param {import('../types.js').Person | undefined} person */
const personName = (person) => person?.name || person?.id || t('unknown');

/** @param {Segment[]} segments */
const asMessage = (segments) => /** @type {import('../types.js').Message} */ ({ segments, content: '', message_type: 'Text' });

/**
 * @param {string} title
 * @param {Items | Promise<Items>} items
 * @param {string} message
 * @param {Show} show
 */
function open(title, items, message, show) {
  const body = h('div', { role: 'status' }, h('p', { class: 'muted' }, t('loading')));
  const dialog = h('dialog', { class: 'sheet', 'aria-label': title, onclose: () => dialog.remove(), onclick: (/** @type {Event} */ event) => {
    if (event.target === dialog) dialog.close();
  } }, h('div', { class: 'title' }, h('h2', null, title), h('button', { class: 'plain', 'aria-label': t('close'), title: 'Esc', onclick: () => dialog.close() }, icon('close'))), body);
  const draw = (/** @type {Items} */ known) => fill(body, h('ul', { class: 'forwarded' }, ...known.map((item) => entry(item, message, show))));
  if (Array.isArray(items)) draw(items);
  else items.then(draw, (error) => fill(body, h('p', { class: 'problem' }, errorText(error))));
  document.body.append(dialog);
  dialog.showModal();
}

/**
 * @param {Items[number]} item
 * @param {string} message
 * @param {Show} show
 */
function entry(item, message, show) {
  const time = item.created_at ? h('time', { class: 'muted' }, fullTime(item.created_at)) : null;
  return h('li', null, h('div', { class: 'forward-head' }, h('strong', null, personName(item.sender)), time), ...show(item.segments, message));
}
