import { isMessage } from './timeline.js';

/** @typedef {import('../types.js').Message} Message */

/** The message of a conversation that has the focus or is pointed at, and what keys and clicks do with it. */
export class PointedMessage {
  /** @param {import('./pane.js').Pane} pane */
  constructor(pane) {
    this.pane = pane;
    const { element } = pane.scroller;
    element.addEventListener('click', (event) => this.#clicked(event), true);
    element.addEventListener('mouseover', (event) => this.#point(event));
    element.addEventListener('focusin', (event) => this.#point(event));
    element.addEventListener('keydown', (event) => this.#key(event));
  }

  /** The message that has the focus or is pointed at, else the last one; none on its way to the server. */
  current() {
    const row = this.pane.scroller.element.querySelector('.message:focus-within') ?? this.pane.scroller.element.querySelector('.message:hover');
    const entry = /** @type {HTMLElement | null | undefined} */ (row?.closest('.entry'));
    const found = this.pane.timeline.find(entry?.dataset.id);
    if (entry) return found && isMessage(found) ? found : undefined;
    const last = this.pane.timeline.rows.findLast(isMessage);
    return last && isMessage(last) ? last : undefined;
  }

  /** A click chooses a message while others are chosen; with a finger it opens what can be done. @param {MouseEvent} event */
  #clicked(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    const row = target.closest('.entry');
    const message = row instanceof HTMLElement ? this.pane.timeline.find(row.dataset.id) : undefined;
    const bubble = target.closest('.bubble');
    if (!message || !isMessage(message)) return;
    if (this.pane.selection.isActive) {
      event.preventDefault();
      event.stopPropagation();
      this.pane.selection.toggle(message);
    } else if (bubble instanceof HTMLElement && matchMedia('(hover: none)').matches && !target.closest('a, button, audio, video') && getSelection()?.isCollapsed) {
      this.pane.actions.open(bubble, message);
    }
  }

  /** Puts the actions at the message that is pointed at. @param {Event} event */
  #point(event) {
    const row = /** @type {HTMLElement} */ (event.target).closest('.entry');
    const item = row instanceof HTMLElement ? this.pane.timeline.find(row.dataset.id) : undefined;
    if (item && isMessage(item) && row instanceof HTMLElement) this.pane.actions.place(row, item);
  }

  /** Gives the focus to the next message, from the end where it is at none. @param {number} by @param {string} [id] */
  step(by, id) {
    const { rows } = this.pane.timeline;
    const at = id ? rows.findIndex((row) => row.id === id) : rows.length;
    const wanted = rows[at + by];
    const target = wanted && this.pane.scroller.reveal(wanted.id, 'nearest');
    /** @type {HTMLElement | null | undefined} */ (target?.querySelector('.message'))?.focus({ preventScroll: true });
  }

  /** Arrows go from message to message. @param {KeyboardEvent} event */
  #key(event) {
    const row = /** @type {HTMLElement} */ (event.target).closest('.entry');
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'Enter' && event.target instanceof HTMLElement && event.target.matches('.message')) {
      // Or the same key presses the first button of what opens.
      event.preventDefault();
      const message = this.current();
      if (message && this.pane.selection.isActive) this.pane.selection.toggle(message);
      else if (message) this.pane.actions.open(event.target, message);
    } else if (by) {
      this.step(by, row instanceof HTMLElement ? row.dataset.id : undefined);
      event.preventDefault();
    } else if (event.key === 'Escape') {
      if (this.pane.selection.isActive) this.pane.selection.end();
      else this.pane.composer.focus();
    }
  }
}
