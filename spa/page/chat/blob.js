// Where the browser finds the bytes of a medium.

import { address, token } from '../api.js';
import { carriesBytes, source } from '../media.js';

/** Media kept in memory; older ones are let go, and loaded again when wanted. */
const KEPT = 200;

/** Addresses of bytes in memory, by the medium they are of: each is loaded once. @type {Map<string, Promise<string>>} */
const loaded = new Map();

/** @param {string} media SHA-256 */
const pathOf = (media) => `api/media/${media}`;

/**
 * The address of a medium that is here: as part of the message or kept by the server. A browser
 * cannot send a token with a picture's address, so with a token the bytes are fetched first.
 * @param {import('../types.js').Segment} segment
 * @returns {Promise<string | undefined>}
 */
export async function localAddress({ media, url = '' }) {
  const key = media ?? url;
  if (media && !token()) return address(pathOf(media)).href;
  if (url.startsWith('blob:')) return url;
  if (!media && !carriesBytes(url)) return undefined;
  const known = loaded.get(key) ?? (media ? fetched(media) : Promise.resolve(source(url) ?? ''));
  loaded.set(key, known);
  const [oldest = ''] = loaded.keys();
  if (loaded.size > KEPT) void forget(oldest);
  return known;
}

/** @param {string} key */
async function forget(key) {
  const blob = await loaded.get(key);
  loaded.delete(key);
  if (blob) URL.revokeObjectURL(blob);
}

/** Whether a medium is here, so that showing it asks nobody else. @param {import('../types.js').Segment} segment */
export const isHere = ({ media, url }) => media !== undefined || (url !== undefined && (url.startsWith('blob:') || carriesBytes(url)));

/** @param {string} media */
async function fetched(media) {
  const answer = await fetch(address(pathOf(media)), { headers: { authorization: `Bearer ${token()}` } });
  return answer.ok ? URL.createObjectURL(await answer.blob()) : '';
}
