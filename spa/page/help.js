import { h } from './dom.js';
import { t } from './i18n.js';
import { icon } from './icons.js';
import { askToNotify, mayNotify } from './notifications.js';
import { prefer, preferences } from './preferences.js';

/** Keys and what they do. */
const KEYS = /** @type {const} */ ([
  ['?', 'keysAndSettings'],
  ['/ · Ctrl+K', 'searchAll'],
  ['Ctrl+F', 'searchHere'],
  ['Alt+↑ · Alt+↓', 'keyConversations'],
  ['Alt+A', 'keyUnread'],
  ['↑ · ↓', 'keyMessages'],
  ['r', 'reply'],
  ['e · ↑', 'keyEdit'],
  ['+', 'react'],
  ['Esc', 'cancelThis'],
]);

/** Shows the keys of the chat, and what can be chosen about it. */
export function openHelp() {
  if (document.querySelector('dialog[open]')) return;
  const close = () => dialog.close();
  const dialog = h(
    'dialog',
    { class: 'sheet', 'aria-labelledby': 'help-title', onclose: () => dialog.remove(), onclick: (/** @type {Event} */ event) => event.target === dialog && close() },
    h('div', { class: 'title' }, h('h2', { id: 'help-title' }, t('keysAndSettings')), h('button', { class: 'plain', 'aria-label': t('close'), title: 'Esc', onclick: close }, icon('close'))),
    h('dl', { class: 'key-list' }, ...KEYS.flatMap(([key, name]) => [h('dt', null, h('kbd', null, key)), h('dd', null, t(name))])),
    h('div', { class: 'choices' }, choice('enterSends'), h('div', { class: 'choices of-desktop' }, notifyChoice(), choice('sound'))),
  );
  document.body.append(dialog);
  dialog.showModal();
}

/** @param {'enterSends' | 'sound'} name */
function choice(name) {
  const box = h('input', { type: 'checkbox', checked: preferences.value[name], onchange: () => prefer({ [name]: box.checked }) });
  return h('label', null, box, t(name));
}

/** The browser is asked only here, by a click. */
function notifyChoice() {
  const change = async () => {
    const isWanted = box.checked;
    box.checked = isWanted && (await askToNotify());
    problem.hidden = box.checked === isWanted;
    prefer({ notifications: box.checked });
  };
  const problem = h('p', { class: 'problem', role: 'alert', hidden: true }, t('notifyDenied'));
  const box = h('input', { type: 'checkbox', checked: preferences.value.notifications && mayNotify(), onchange: () => void change() });
  return h('div', null, h('label', null, box, t('notifications')), h('p', { class: 'muted' }, t('notificationsHelp')), problem);
}
