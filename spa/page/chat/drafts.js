// Drafts, one for each conversation; kept in this browser.

import { keyOf } from '../names.js';
import { Signal } from '../signal.js';
import { keepStored, stored } from '../storage.js';

/**
 * A message that is written and not sent: the text, the people whom it mentions by name, and what it answers.
 * @typedef {{text: string, people?: import('./mentions.js').Person[], reply?: {id: string, sender?: {id: string, name: string}, content: string}}} Draft
 */

const STORAGE_KEY = 'rechat.drafts';

/** @type {Signal<Record<string, Draft>>} */
export const drafts = new Signal(stored(STORAGE_KEY));

// Another tab writes, too.
addEventListener('storage', ({ key }) => {
  if (key === STORAGE_KEY) drafts.value = stored(STORAGE_KEY);
});

/** @param {{platform: string, conversation: string}} of */
export const draftOf = ({ platform, conversation }) => drafts.value[keyOf(platform, conversation)];

/**
 * @param {{platform: string, conversation: string}} of
 * @param {Draft} draft an empty one is forgotten
 */
export function keepDraft({ platform, conversation }, draft) {
  const { [keyOf(platform, conversation)]: _, ...others } = stored(STORAGE_KEY);
  keep(draft.text || draft.reply ? { ...others, [keyOf(platform, conversation)]: draft } : others);
}

/** Removes all drafts when the user signs out. */
export const forgetDrafts = () => keep({});

/** @param {Record<string, Draft>} value */
function keep(value) {
  drafts.value = value;
  keepStored(STORAGE_KEY, value);
}
