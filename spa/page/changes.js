// How a message that is shown takes in what became of it.

/** @typedef {import('./types.js').Message} Message */

/**
 * The message with another status.
 * @param {Message} message
 * @param {import('./types.js').StatusChange} change
 * @returns {Message}
 */
export function withStatus({ last_error: _, waiting: __, ...message }, { status, retry_count, updated_at, last_error, platform }) {
  return {
    ...message,
    status,
    retry_count,
    updated_at,
    ...(last_error === undefined ? {} : { last_error }),
    ...(platform === 'local' ? {} : { platform }),
  };
}

/**
 * Makes one message the same as another, in place: fields that are absent there go.
 * @param {Message | undefined} known
 * @param {Message} now
 */
export function replace(known, now) {
  if (!known || known === now) return;
  for (const name of Object.keys(known)) if (!(name in now)) delete known[/** @type {keyof Message} */ (name)];
  Object.assign(known, now);
}
