// Where the browser finds the bytes of a medium.

import { address, ask, token } from '../api.js';
import { carriesBytes, source } from '../media.js';

/** @typedef {import('../types.js').Segment} Segment */

/** Small pictures and bytes of messages kept in memory; older ones are let go, and loaded again when wanted. */
const MAX_KEPT = 200;

/** Seconds before its end at which an address is asked for anew. */
const RENEW_BEFORE = 300;

/** Bytes up to which a picture is loaded as it is. */
const SMALL_BYTES = 64_000;

/** Pictures of these types do not move, and the server makes them small. */
const STILL_PICTURES = new Set(['image/png', 'image/jpeg', 'image/bmp']);

/** Addresses of bytes in memory, by the medium they are of: each is loaded once. @type {Map<string, Promise<string>>} */
const loaded = new Map();

/** Addresses that hold without a token, by the medium. @type {Map<string, Promise<{path: string, until: number}>>} */
const signed = new Map();

/** @param {string} media SHA-256 */
const pathOf = (media) => `api/media/${media}`;

/** Whether a medium is here, so that showing it asks nobody else. @param {Segment} segment */
export const isHere = ({ media, url }) => media !== undefined || (url !== undefined && (url.startsWith('blob:') || carriesBytes(url)));

/**
 * The address of a medium that is here: as part of the message or kept by the server. A browser
 * cannot send a token with a video's address, so with a token the server signs one for a while.
 * @param {Segment} segment
 * @returns {Promise<string | undefined>}
 */
export async function fullAddress({ media, url = '' }) {
  if (media) return token() ? signedAddress(media) : address(pathOf(media)).href;
  if (url.startsWith('blob:')) return url;
  return carriesBytes(url) ? kept(url, () => Promise.resolve(source(url) ?? '')) : undefined;
}

/**
 * The address of a picture as large as a conversation shows it.
 * @param {Segment} segment
 * @returns {Promise<string | undefined>}
 */
export async function smallAddress(segment) {
  const { media, mime = '', size = 0 } = segment;
  if (!media || !STILL_PICTURES.has(mime) || size <= SMALL_BYTES) return fullAddress(segment);
  const path = `${pathOf(media)}/thumbnail`;
  // The browser keeps what is fetched so, and it is small.
  return token() ? kept(path, () => fetched(path)) : address(path).href;
}

/** Whether an address that was given still holds. @param {string} href */
export function holds(href) {
  const until = new URL(href).searchParams.get('until');
  return until === null || Number(until) > Date.now() / 1000;
}

/** @param {string} media */
async function signedAddress(media) {
  const known = await signed.get(media)?.catch(() => undefined);
  if (known && known.until - RENEW_BEFORE > Date.now() / 1000) return address(known.path).href;
  const asked = ask(`${pathOf(media)}/address`);
  signed.set(media, asked);
  const [oldest = ''] = signed.keys();
  if (signed.size > MAX_KEPT) signed.delete(oldest);
  return asked.then(({ path }) => address(path).href, () => undefined);
}

/**
 * @param {string} key
 * @param {() => Promise<string>} load
 */
function kept(key, load) {
  const known = loaded.get(key) ?? load();
  loaded.set(key, known);
  const [oldest = ''] = loaded.keys();
  if (loaded.size > MAX_KEPT) void forget(oldest);
  return known;
}

/** @param {string} key */
async function forget(key) {
  const blob = await loaded.get(key);
  loaded.delete(key);
  if (blob) URL.revokeObjectURL(blob);
}

/** @param {string} path */
async function fetched(path) {
  const answer = await fetch(address(path), { headers: { authorization: `Bearer ${token()}` } });
  return answer.ok ? URL.createObjectURL(await answer.blob()) : '';
}
