import { ask, tell } from '../api.js';
import { fill, h, svg } from '../dom.js';
import { errorText, reasonOf } from '../errors.js';
import { t } from '../i18n.js';

/** How often it is asked how a login goes, in milliseconds. */
const POLL_INTERVAL = 1500;

/** Modules of light around a code, without which phones do not find it. */
const MARGIN_MODULES = 4;

/**
 * @typedef {object} Login
 * @property {string} id
 * @property {'wait' | 'scanned' | 'digits' | 'expired' | 'done' | 'failed'} state
 * @property {string} [qrcode] the text of the code
 * @property {string[]} [modules] lines of the code, `1` is dark
 * @property {string} [account]
 * @property {string} [reason]
 * @property {string} [reason_code]
 * @property {string} [reason_detail] what WeChat said
 */

/** Signing in to WeChat by a code that the phone scans. */
export function wechatLogin() {
  const place = h('div', { class: 'wechat-login', 'aria-live': 'polite' });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let isClosed = false;
  let shown = '';

  /** @param {() => Promise<Login>} request */
  async function follow(request) {
    clearTimeout(timer);
    try {
      const login = await request();
      if (isClosed) return;
      show(login);
      if (login.state === 'done' || login.state === 'failed') return;
      timer = setTimeout(() => void follow(() => ask(pathOf(login))), POLL_INTERVAL);
    } catch (error) {
      fill(place, h('p', { class: 'problem', role: 'alert' }, errorText(error)), begin);
    }
  }

  /** @param {Login} login */
  function show(login) {
    const now = JSON.stringify(login);
    // Digits that are being typed stay.
    if (now === shown) return;
    shown = now;
    const { state, modules = [], account = '' } = login;
    const reason = reasonOf(login);
    const words = h('p', null, t(`wechat_${state}`, { account }), reason ? ` ${reason}` : '');
    const give = (/** @type {string} */ digits) => void follow(() => tell('POST', pathOf(login), { digits }));
    fill(
      place,
      words,
      state === 'wait' && modules.length > 0 ? drawing(modules) : null,
      state === 'digits' ? digitsForm(give) : null,
      state === 'failed' ? begin : null,
    );
  }

  const begin = h('button', { class: 'primary', onclick: () => void follow(() => ask('api/login/wechat', { method: 'POST' })) }, t('wechatBegin'));
  fill(place, begin);
  const element = h('details', null, h('summary', null, t('guideWechat')), h('ol', null, h('li', null, t('guideWechat1')), h('li', null, t('guideWechat2'))), place);
  return {
    element,
    close: () => {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

/** @param {Login} login */
const pathOf = ({ id }) => `api/login/wechat/${encodeURIComponent(id)}`;

/** The code, dark on light whatever the theme is. @param {string[]} modules */
function drawing(modules) {
  const size = modules.length + 2 * MARGIN_MODULES;
  const dark = modules.flatMap((line, y) => [...line].flatMap((module, x) => (module === '1' ? [`M${x + MARGIN_MODULES} ${y + MARGIN_MODULES}h1v1h-1z`] : [])));
  return svg(
    'svg',
    { class: 'qr-code', viewBox: `0 0 ${size} ${size}`, role: 'img', 'aria-label': t('qrCode'), 'shape-rendering': 'crispEdges' },
    svg('path', { d: `M0 0h${size}v${size}H0z`, fill: '#fff' }),
    svg('path', { d: dark.join(''), fill: '#000' }),
  );
}

/** @param {(digits: string) => void} give */
function digitsForm(give) {
  const field = h('input', { inputmode: 'numeric', pattern: '[0-9]+', required: true, autocomplete: 'one-time-code', 'aria-label': t('digits') });
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    give(field.value.trim());
  };
  return h('form', { class: 'digits-form', onsubmit: submit }, field, h('button', { class: 'primary' }, t('digitsGive')));
}
