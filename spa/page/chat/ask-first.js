import { h } from '../dom.js';
import { t } from '../i18n.js';
import { closePopup, menu, openPopup } from './popup.js';

/**
 * Asks before what cannot be undone.
 * @param {HTMLElement} beside
 * @param {import('../i18n.js').Word} question
 * @param {import('../i18n.js').Word} yes
 * @param {() => Promise<void>} run
 */
export function askFirst(beside, question, yes, run) {
  const answers = menu([{ name: t(yes), danger: true, run: () => void run() }, { name: t('keep'), run: closePopup }]);
  openPopup(beside, h('div', null, h('p', { class: 'question' }, t(question)), answers), t(question));
}
