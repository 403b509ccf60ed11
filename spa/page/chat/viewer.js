import { fill, h } from '../dom.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';

/** @typedef {import('../types.js').Segment} Segment */

const dialog = h('dialog', { class: 'viewer', tabindex: '-1', onclick: (/** @type {Event} */ event) => {
  if (event.target === dialog) dialog.close();
}, onkeydown: (/** @type {KeyboardEvent} */ event) => {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (by) go(by);
} });

/** The pictures of the open conversation, in their order. @type {() => Segment[]} */
let pictures = () => [];

/** The picture that is shown, and its place among the others. @type {(by: number) => void} */
let go = () => {};

/** @param {() => Segment[]} source */
export function viewPicturesOf(source) {
  pictures = source;
}

/**
 * Shows a picture as large as the window allows; the arrows lead to those before and after it.
 * @param {Segment} first
 * @param {(segment: Segment) => Promise<{address: string | undefined, name: string}>} look
 */
export async function openViewer(first, look) {
  const all = pictures();
  const place = all.findIndex(({ media }) => media === first.media);
  if (!dialog.isConnected) document.body.append(dialog);

  /** @param {Segment} segment @param {number} at */
  async function show(segment, at) {
    go = (by) => {
      const next = at < 0 ? undefined : all[at + by];
      if (next) void show(next, at + by);
    };
    const { address, name } = await look(segment);
    dialog.setAttribute('aria-label', name);
    const image = h('img', { src: address, alt: segment.text || name, referrerpolicy: 'no-referrer', onclick: () => image.classList.toggle('whole') });
    const step = (/** @type {'nextPicture' | 'previousPicture'} */ word, /** @type {number} */ by) =>
      at >= 0 && all[at + by] ? h('button', { class: 'plain', 'aria-label': t(word), title: t(word), onclick: () => go(by) }, icon(by < 0 ? 'back' : 'forward')) : null;
    fill(
      dialog,
      h(
        'div',
        { class: 'viewer-bar' },
        h('span', null, name),
        step('previousPicture', -1),
        step('nextPicture', 1),
        address ? h('a', { class: 'button plain', href: address, download: name, 'aria-label': t('saveFile'), title: t('saveFile') }, icon('download')) : null,
        h('button', { class: 'plain', 'aria-label': t('close'), title: 'Esc', onclick: () => dialog.close() }, icon('close')),
      ),
      h('div', { class: 'viewer-picture' }, address ? image : h('p', null, t('cannotShow'))),
    );
    // The button that was pressed is gone.
    dialog.focus();
  }

  await show(first, place);
  dialog.showModal();
}
