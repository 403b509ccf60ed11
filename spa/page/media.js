// What a message's content stands for, where it is no text: an address, or the bytes themselves.

import { size } from './format.js';
import { t } from './i18n.js';

/** @typedef {import('./types.js').Message} Message */
/** @typedef {import('./types.js').MessageType} MessageType */

const BASE64 = 'base64://';

/** The base64 text of content that carries its bytes. @param {string} content */
function data(content) {
  if (content.startsWith(BASE64)) return content.slice(BASE64.length);
  const uri = /^data:[^,]*;base64,/.exec(content.slice(0, 200));
  return uri ? content.slice(uri[0].length) : undefined;
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

/** Content in one line, for lists. @param {Message} message */
export function summary(message) {
  const { content, message_type: type } = message;
  const bytes = data(content);
  if (bytes !== undefined) return `${t(type)} · ${size(Math.floor((bytes.replace(/=+$/, '').length * 3) / 4))}`;
  const url = type === 'Text' ? undefined : webAddress(content);
  if (url) return `${t(type)} · ${decodedName(url)}`;
  return content.slice(0, 400).replace(/\s+/g, ' ').trim();
}

/** @param {URL} url */
function decodedName(url) {
  const name = url.pathname.split('/').pop() || url.host;
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** Whether content is the bytes themselves. @param {string} content */
export const carriesBytes = (content) => data(content) !== undefined;

/**
 * An address at which the browser finds the medium; one of bytes must be revoked in the end.
 * @param {string} content
 */
export function source(content) {
  const bytes = data(content);
  if (bytes === undefined) return webAddress(content)?.href;
  try {
    const binary = atob(bytes);
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

/** A file as content. @param {File} file @returns {Promise<string>} */
export function contentOf(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(BASE64 + String(reader.result).replace(/^[^,]*,/, ''));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

/** How many bytes a file has as content. @param {number} bytes */
export const contentBytes = (bytes) => BASE64.length + Math.ceil(bytes / 3) * 4;
