import { h } from '../dom.js';
import { t } from '../i18n.js';
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
  const buttons = ALL.map((emoji) =>
    h('button', { class: 'plain', tabindex: emoji === ALL[0] ? '0' : '-1', onclick: () => {
      closePopup();
      chosen(emoji);
    } }, emoji),
  );
  const move = (/** @type {KeyboardEvent} */ event) => {
    const rows = { ArrowDown: COLUMNS, ArrowUp: -COLUMNS }[event.key];
    if (!rows) return step(event, buttons);
    event.preventDefault();
    const at = buttons.findIndex((button) => button === document.activeElement);
    return buttons[at + rows]?.focus();
  };
  openPopup(beside, h('div', { class: 'emoji-grid', onkeydown: move }, ...buttons), t('emoji'));
}
