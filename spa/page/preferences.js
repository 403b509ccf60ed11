// Preferences, kept in this browser.

import { Signal } from './signal.js';

const PLACE = 'rechat.preferences';

/**
 * When a conversation notifies: for everything, for mentions, never; `usual` is as all of them do.
 * @typedef {'all' | 'mentions' | 'none'} Notify
 */

/**
 * @typedef {object} Preferences
 * @property {boolean} enterSends
 * @property {boolean} notifications
 * @property {boolean} sound
 * @property {Record<string, Notify>} notify by conversation, where it differs
 */

/** @type {Preferences} */
const USUAL = { enterSends: true, notifications: false, sound: false, notify: {} };

/** @type {Signal<Preferences>} */
export const preferences = new Signal({ ...USUAL, ...stored() });

/** @returns {Partial<Preferences>} */
function stored() {
  try {
    return JSON.parse(localStorage.getItem(PLACE) ?? '{}');
  } catch {
    return {};
  }
}

/** @param {Partial<Preferences>} change */
export function prefer(change) {
  preferences.value = { ...preferences.value, ...change };
  try {
    localStorage.setItem(PLACE, JSON.stringify(preferences.value));
  } catch {
    // It then holds for this page alone.
  }
}
