import { address, token, withQuery } from '../api.js';

/** How long the next message is waited for, in milliseconds: the stream does not end, it goes on live. */
const WAIT = 2000;

/**
 * The `seq` of the message that comes so many after another one in its conversation, or else of the
 * last one. Lists go backwards only; the stream goes forwards, from any message on.
 * @param {{platform: string, conversation: string}} at
 * @param {string} since ID of a message
 * @param {number} count
 * @param {number} last `seq` of the newest message
 * @returns {Promise<number | undefined>} nothing where there is none after it
 */
export async function seqAfter({ platform, conversation }, since, count, last) {
  const closing = new AbortController();
  const headers = { accept: 'application/x-ndjson', ...(token() ? { authorization: `Bearer ${token()}` } : {}) };
  let timer = setTimeout(() => closing.abort(), WAIT);
  /** @type {number | undefined} */
  let seq;
  try {
    const answer = await fetch(address(withQuery('api/stream', { platform, conversation, since })), { headers, signal: closing.signal });
    const reader = answer.body?.getReader();
    const decoder = new TextDecoder();
    let rest = '';
    for (let n = 0; reader && n < count && (seq ?? 0) < last; ) {
      const { value, done } = await reader.read();
      if (done) break;
      clearTimeout(timer);
      timer = setTimeout(() => closing.abort(), WAIT);
      const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      const told = lines.filter(Boolean).map((line) => JSON.parse(line)).filter(({ type }) => type === 'new_message').slice(0, count - n);
      n += told.length;
      seq = told.at(-1)?.data.seq ?? seq;
    }
  } catch (error) {
    if (!closing.signal.aborted) throw error;
  }
  clearTimeout(timer);
  closing.abort();
  return seq;
}
