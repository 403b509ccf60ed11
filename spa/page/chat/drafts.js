// Drafts, one for each conversation; kept in this browser.

import { keyOf } from '../names.js';
import { Signal } from '../signal.js';

/** @typedef {{text: string, reply?: {id: string, sender?: {id: string, name: string}, content: string}}} Draft */

const PLACE = 'rechat.drafts';

/** @type {Signal<Record<string, Draft>>} */
export const drafts = new Signal(stored());

/** @returns {Record<string, Draft>} */
function stored() {
  try {
    return JSON.parse(localStorage.getItem(PLACE) ?? '{}');
  } catch {
    return {};
  }
}

/** @param {{platform: string, conversation: string}} of */
export const draftOf = ({ platform, conversation }) => drafts.value[keyOf(platform, conversation)];

/**
 * @param {{platform: string, conversation: string}} of
 * @param {Draft} draft an empty one is forgotten
 */
export function keepDraft({ platform, conversation }, draft) {
  const { [keyOf(platform, conversation)]: _, ...others } = drafts.value;
  keep(draft.text || draft.reply ? { ...others, [keyOf(platform, conversation)]: draft } : others);
}

/** Removes all drafts when the user signs out. */
export const forgetDrafts = () => keep({});

/** @param {Record<string, Draft>} value */
function keep(value) {
  drafts.value = value;
  try {
    if (Object.keys(value).length > 0) localStorage.setItem(PLACE, JSON.stringify(value));
    else localStorage.removeItem(PLACE);
  } catch {
    // They then last as long as this page.
  }
}
