import { h } from './dom.js';
import { t } from './i18n.js';

/** How a connection is. @param {import('./types.js').AdapterState} state */
export const stateMark = (state) => h('span', { class: `state ${state.toLowerCase()}` }, h('span', { class: 'dot' }), t(state));
