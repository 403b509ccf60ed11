import { fill, h } from '../dom.js';

/** Pixels between a popup and what it belongs to, and to the window's edge. */
const GAP = 6;

const popup = h('div', { class: 'popup', popover: 'auto' });
/** @type {HTMLElement | undefined} */
let opener;
/** Where the opener was: a button that shows only under the pointer may be hidden by now. @type {DOMRect} */
let from;

popup.addEventListener('toggle', (event) => {
  if (/** @type {ToggleEvent} */ (event).newState !== 'closed') return;
  // The focus goes back, unless the user moved it elsewhere.
  if (document.activeElement === document.body || popup.contains(document.activeElement)) opener?.focus();
  fill(popup);
});

/**
 * Shows something beside an element, until it is done with, Escape, or a click elsewhere.
 * @param {HTMLElement} beside
 * @param {HTMLElement} content
 * @param {string} label
 */
export function openPopup(beside, content, label) {
  closePopup();
  if (!popup.isConnected) document.body.append(popup);
  opener = beside;
  fill(popup, content);
  popup.setAttribute('role', 'dialog');
  popup.setAttribute('aria-label', label);
  popup.showPopover();
  const now = beside.getBoundingClientRect();
  if (now.width > 0 || !from) from = now;
  const { offsetWidth: width, offsetHeight: height } = popup;
  const below = from.bottom + GAP;
  const top = below + height > innerHeight - GAP ? Math.max(GAP, from.top - GAP - height) : below;
  const left = from.left + from.width / 2 > innerWidth / 2 ? from.right - width : from.left;
  popup.style.top = `${top}px`;
  popup.style.left = `${Math.max(GAP, Math.min(left, innerWidth - width - GAP))}px`;
  /** @type {HTMLElement | null} */ (popup.querySelector('button, input'))?.focus();
}

export function closePopup() {
  if (popup.matches(':popover-open')) popup.hidePopover();
}

/**
 * A list of things to do.
 * @typedef {{name: string, icon?: Node, run: () => void, danger?: boolean, checked?: boolean}} Action
 * @param {(Action | false | null | undefined)[]} actions
 */
export function menu(actions) {
  const entries = actions.filter((action) => !!action);
  const buttons = entries.map(({ name, icon, run, danger, checked }) =>
    h('button', {
      class: danger ? 'plain delete' : 'plain',
      'aria-pressed': checked === undefined ? undefined : String(checked),
      onclick: () => {
        closePopup();
        run();
      },
    }, icon, name),
  );
  const list = h('div', { class: 'menu', onkeydown: (/** @type {KeyboardEvent} */ event) => step(event, buttons) }, ...buttons);
  return list;
}

/**
 * Arrows move the focus among buttons.
 * @param {KeyboardEvent} event
 * @param {HTMLElement[]} buttons
 */
export function step(event, buttons) {
  const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (!by) return;
  event.preventDefault();
  const at = buttons.findIndex((button) => button === document.activeElement);
  buttons[(at + by + buttons.length) % buttons.length]?.focus();
}
