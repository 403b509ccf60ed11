import { isMessage } from './timeline.js';

/** How long the reading place rests before it is told, in milliseconds. */
const READ_AFTER = 400;

/** Whether the page is visible and has the focus. */
export const isLookedAt = () => !document.hidden && document.hasFocus();

/** Tells the server how far one conversation is read: as far as it was seen. */
export class ReadMarks {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #reading;

  /** @param {import('./pane.js').Pane} pane */
  constructor(pane) {
    this.pane = pane;
    addEventListener('focus', this.soon);
    addEventListener('blur', this.soon);
    document.addEventListener('visibilitychange', this.soon);
  }

  close() {
    removeEventListener('focus', this.soon);
    removeEventListener('blur', this.soon);
    document.removeEventListener('visibilitychange', this.soon);
    this.pane.feed.conversations.see('');
    clearTimeout(this.#reading);
  }

  soon = () => {
    const { feed, timeline, scroller, composer } = this.pane;
    const isSeen = this.#isSeen() && scroller.isAtEnd && timeline.rows.length > 0 && !timeline.hasNewer;
    feed.conversations.see(isSeen ? composer.key : '');
    this.#reading ??= setTimeout(() => {
      this.#reading = undefined;
      this.#read();
    }, READ_AFTER);
  };

  /** Whether somebody sees what comes; before the connection is there, what came meanwhile is not shown yet. */
  #isSeen() {
    const { feed, element, composer } = this.pane;
    return isLookedAt() && element.isConnected && feed.state.value === 'live' && !feed.conversations.keptUnread.has(composer.key);
  }

  #read() {
    const { entry, feed, timeline, scroller } = this.pane;
    const { conversations } = feed;
    if (!entry.unread || !this.#isSeen()) return;
    const { rows, hasNewer, firstUnread } = timeline;
    const { last } = scroller.range;
    const seen = rows.slice(0, last + 1).findLast(isMessage);
    if (last >= rows.length - 1 && !hasNewer) {
      const { last_message: newest, last_seq: seq } = entry;
      // A message that is told late stands higher up than its number says.
      const isAll = newest === undefined || timeline.find(newest.id) !== undefined;
      if (isAll || seen) conversations.read(entry, isAll ? seq : seen?.id);
      return;
    }
    const isBeyond = firstUnread !== '' && rows.findIndex((row) => row.id === firstUnread) <= last;
    if (seen && isBeyond && rows.some((row) => row.id === firstUnread)) conversations.read(entry, seen.id);
  }
}
