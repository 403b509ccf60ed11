// Preferences, kept in this browser.

import { Signal } from './signal.js';
import { keepStored, stored } from './storage.js';

const STORAGE_KEY = 'rechat.preferences';

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

/** Enter sends where there is a keyboard with Shift. @type {Preferences} */
const DEFAULTS = { enterSends: !matchMedia('(pointer: coarse)').matches, notifications: false, sound: false, notify: {} };

/** @type {Signal<Preferences>} */
export const preferences = new Signal({ ...DEFAULTS, ...stored(STORAGE_KEY) });

// Another tab changes them, too.
addEventListener('storage', ({ key }) => {
  if (key === STORAGE_KEY) preferences.value = { ...DEFAULTS, ...stored(STORAGE_KEY) };
});

/** @param {Partial<Preferences>} change */
export function prefer(change) {
  preferences.value = { ...preferences.value, ...change };
  keepStored(STORAGE_KEY, preferences.value);
}
