import { h } from './dom.js';
import { t } from './i18n.js';
import { icon } from './icons.js';
import { toast } from './toast.js';

/** Copies a text, and says whether that went well. @param {string} text */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(t('copied'), 'good');
  } catch {
    toast(t('cannotCopy'), 'bad');
  }
}

/** A line to copy. @param {string} text */
export const copyable = (text) =>
  h('div', { class: 'copyable' }, h('code', null, text), h('button', { type: 'button', onclick: () => void copy(text), 'aria-label': `${t('copy')}: ${text}` }, icon('copy'), t('copy')));
