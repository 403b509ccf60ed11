// Media of a message: their address, or their bytes.

/** @typedef {import('./types.js').MessageType} MessageType */

/** How content that carries its bytes begins, and how long that is at most. */
const BEGINNING = /^\s*(?:base64:\/\/|data:([^,]*);base64,)/i;
const MAX_BEGINNING = 4096;

/** The bytes of content that carries them, as base64, and what comes before. @param {string} content */
function data(content) {
  const found = BEGINNING.exec(content.slice(0, MAX_BEGINNING));
  return found ? { bytes: content.slice(found[0].length), head: found[1] ?? '' } : undefined;
}

/** Text without what changes the direction of others or cannot be seen. @param {string} text */
export const visible = (text) => text.replace(/[\p{Cc}\p{Cf}]/gu, '');

/** A name as it is written in an address. @param {string} name */
function decoded(name) {
  try {
    return visible(decodeURIComponent(name));
  } catch {
    return visible(name);
  }
}

/** The file's name of content that carries its bytes, or an empty text. @param {string} content */
export function nameOf(content) {
  const [, name = ''] = /(?:^|;)name=([^;]*)/i.exec(data(content)?.head ?? '') ?? [];
  return decoded(name);
}

/** The address of content that is elsewhere; only of kinds that are safe to follow. @param {string} content */
export function webAddress(content) {
  if (!/^https?:\/\/\S+$/i.test(content.trim())) return undefined;
  try {
    return new URL(content.trim());
  } catch {
    return undefined;
  }
}

/** How many bytes content carries, or undefined. @param {string} content */
export function sizeOf(content) {
  const carried = data(content);
  return carried && Math.floor((carried.bytes.trimEnd().replace(/=+$/, '').length * 3) / 4);
}

/** The name of the file in an address. @param {URL} url */
export const fileNameOf = (url) => decoded(url.pathname.split('/').pop() || url.host);

/** Whether content is the bytes themselves. @param {string} content */
export const carriesBytes = (content) => data(content) !== undefined;

/**
 * An address at which the browser finds the medium; one of bytes must be revoked in the end.
 * @param {string} content
 */
export function source(content) {
  const carried = data(content);
  if (!carried) return webAddress(content)?.href;
  try {
    const binary = atob(carried.bytes);
    return URL.createObjectURL(new Blob([Uint8Array.from(binary, (c) => c.charCodeAt(0))]));
  } catch {
    return undefined;
  }
}

/** The type of message that a file makes. @param {File} file @returns {MessageType} */
export function typeOf(file) {
  const kind = file.type.split('/')[0];
  return kind === 'image' ? 'Image' : kind === 'audio' ? 'Audio' : kind === 'video' ? 'Video' : 'File';
}

/** The segment of a file, without its bytes. @param {File} file @returns {import('./types.js').Segment} */
export const segmentOf = (file) => ({ type: /** @type {import('./types.js').Segment['type']} */ (typeOf(file).toLowerCase()), name: file.name, size: file.size });
