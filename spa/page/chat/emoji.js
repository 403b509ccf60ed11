import { fill, h, isComposing } from '../dom.js';
import { emojiNames, t } from '../i18n.js';
import { closePopup, openPopup, step } from './popup.js';

/** Those one reacts with most. */
export const QUICK = ['👍', '❤️', '😂', '🎉', '😮', '😢'];

/** Emoji by how often people use them, roughly. */
const ALL =
  '😀 😃 😄 😁 😆 😅 🤣 😂 🙂 🙃 😉 😊 😇 🥰 😍 🤩 😘 😋 😜 🤪 🤗 🤭 🤫 🤔 🤨 😐 😏 😒 🙄 😬 😌 😔 😴 😷 🤒 🤧 🥵 🥶 😵 🤯 🥳 😎 🤓 🧐 😕 😟 😮 😲 😳 🥺 😢 😭 😱 😤 😡 🤬 💀 💩 🤡 👻 👽 🤖 😺 🙈 🙉 🙊 ❤️ 🧡 💛 💚 💙 💜 🖤 💔 💯 💢 💥 💫 💦 💤 👋 ✋ 👌 ✌️ 🤞 🤟 🤙 👈 👉 👆 👇 👍 👎 ✊ 👊 👏 🙌 🤝 🙏 💪 👀 🌹 🌸 🌞 🌙 ⭐ ⚡ 🔥 🌈 ☔ ❄️ 🍎 🍉 🍓 🍕 🍔 🍜 🍚 🍰 🍺 🍵 ☕ 🎂 🎉 🎁 🎈 🏆 ⚽ 🏀 🎮 🎵 🚗 ✈️ 🏠 💻 📱 📷 💡 📌 📎 📝 💰 🔒 ⏰ ✅ ❌ ❓ ❗ ➕ 🆗'.split(' ');

/** Buttons in a row of the picker. */
const COLUMNS = 8;

/**
 * Lets the user choose an emoji.
 * @param {HTMLElement} beside
 * @param {(emoji: string) => void} chosen
 */
export function pickEmoji(beside, chosen) {
  /** @type {Record<string, string>} */
  let names = {};
  /** @type {HTMLElement[]} */
  let buttons = [];
  const field = h('input', { type: 'search', placeholder: t('findEmoji'), 'aria-label': t('findEmoji'), oninput: draw, onkeydown: leave });
  const grid = h('div', { class: 'emoji-grid', onkeydown: move });

  function draw() {
    const words = field.value.trim().toLowerCase().split(/\s+/);
    const found = ALL.filter((emoji) => words.every((word) => !word || emoji === word || names[emoji]?.includes(word)));
    buttons = found.map((emoji, at) =>
      h('button', { class: 'plain', title: names[emoji], tabindex: at === 0 ? '0' : '-1', onclick: () => {
        closePopup();
        chosen(emoji);
      } }, emoji),
    );
    fill(grid, ...(buttons.length > 0 ? buttons : [h('p', { class: 'muted', role: 'status' }, t('noneFound'))]));
  }

  /** From the field, the arrow leads to the emoji, and Enter takes the first. @param {KeyboardEvent} event */
  function leave(event) {
    if (isComposing(event)) return;
    if (event.key === 'ArrowDown') buttons[0]?.focus();
    else if (event.key === 'Enter') buttons[0]?.click();
    else return;
    event.preventDefault();
  }

  /** @param {KeyboardEvent} event */
  function move(event) {
    const rows = { ArrowDown: COLUMNS, ArrowUp: -COLUMNS }[event.key];
    if (!rows) return step(event, buttons);
    event.preventDefault();
    const at = buttons.findIndex((button) => button === document.activeElement);
    return (buttons[at + rows] ?? (rows < 0 ? field : undefined))?.focus();
  }

  draw();
  openPopup(beside, h('div', null, field, grid), t('emoji'));
  // On a phone, the field would bring a keyboard over the emoji.
  if (matchMedia('(pointer: coarse)').matches) buttons[0]?.focus();
  void emojiNames().then((told) => {
    names = told;
    if (field.isConnected) draw();
  }, () => {});
}
