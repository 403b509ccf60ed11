import { h } from './dom.js';
import { t } from './i18n.js';

/** Milliseconds for which a toast is shown; longer while the pointer is on it. */
const SHOWN_FOR = 6000;

const place = h('div', { class: 'toasts', role: 'status', 'aria-live': 'polite' });

/** Where words appear; part of the page from the start, so that screen readers follow it. */
export const toasts = place;

/**
 * Says something in passing.
 * @param {string} text
 * @param {'good' | 'bad' | ''} [kind]
 */
export function toast(text, kind = '') {
  const close = () => element.remove();
  const button = h('button', { class: 'plain', 'aria-label': t('close'), onclick: close }, '×');
  const element = h('div', { class: `toast ${kind}` }, h('span', null, text), button);
  place.append(element);
  while (place.childElementCount > 3) place.firstElementChild?.remove();
  const leave = () => (element.matches(':hover, :focus-within') ? setTimeout(leave, SHOWN_FOR) : close());
  setTimeout(leave, SHOWN_FOR);
}
