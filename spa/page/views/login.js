import { Refused, ask, setToken } from '../api.js';
import { h } from '../dom.js';
import { errorText } from '../errors.js';
import { t } from '../i18n.js';

/** A text in which what stands between backticks is code. @param {string} text */
const withCode = (text) => text.split('`').map((part, at) => (at % 2 === 0 ? part : h('code', null, part)));

/**
 * Asks for the server's token, and tries it.
 * @param {() => void} signedIn
 * @param {string} why a reason to tell first, or an empty text
 */
export function login(signedIn, why) {
  const input = h('input', { id: 'token', type: 'password', autocomplete: 'current-password', required: true, 'aria-describedby': 'token-help token-problem' });
  const problem = h('p', { id: 'token-problem', class: 'problem', role: 'alert' }, ...withCode(why));
  const stays = h('input', { type: 'checkbox' });
  const button = h('button', { class: 'primary', type: 'submit' }, t('signIn'));

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    button.disabled = true;
    problem.textContent = '';
    setToken(input.value.trim(), stays.checked);
    try {
      await ask('api/stats');
      signedIn();
    } catch (error) {
      setToken('');
      const isWrong = error instanceof Refused && error.status === 401;
      problem.textContent = isWrong ? t('wrongToken') : errorText(error);
      input.select();
    } finally {
      button.disabled = false;
    }
  }

  const form = h(
    'form',
    { class: 'login card', onsubmit: submit },
    h('span', { class: 'logo', 'aria-hidden': 'true' }),
    h('h1', null, t('tokenTitle')),
    h('p', { id: 'token-help', class: 'muted' }, ...withCode(t('tokenHelp'))),
    h('label', { for: 'token' }, t('token')),
    input,
    h('label', { class: 'stays' }, stays, t('staySignedIn')),
    problem,
    button,
  );
  setTimeout(() => input.focus());
  return form;
}
