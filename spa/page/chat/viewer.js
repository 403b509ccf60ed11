import { fill, h } from '../dom.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';

const dialog = h('dialog', { class: 'viewer', onclick: (/** @type {Event} */ event) => {
  if (event.target === dialog) dialog.close();
} });

/**
 * Shows a picture as large as the window allows.
 * @param {string} address
 * @param {string} name
 */
export function openViewer(address, name) {
  if (!dialog.isConnected) document.body.append(dialog);
  dialog.setAttribute('aria-label', name);
  const image = h('img', { src: address, alt: name, referrerpolicy: 'no-referrer', onclick: () => image.classList.toggle('whole') });
  fill(
    dialog,
    h(
      'div',
      { class: 'viewer-bar' },
      h('span', null, name),
      h('a', { class: 'button plain', href: address, download: name, 'aria-label': t('saveFile'), title: t('saveFile') }, icon('download')),
      h('button', { class: 'plain', 'aria-label': t('close'), title: 'Esc', onclick: () => dialog.close() }, icon('close')),
    ),
    h('div', { class: 'viewer-picture' }, image),
  );
  dialog.showModal();
}
