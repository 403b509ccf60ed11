// Files on their way to the server; large ones in parts, so that a break costs one part at most.

import { Refused, address, ask, token } from '../api.js';
import { segmentOf } from '../media.js';

/** @typedef {import('../types.js').Segment} Segment */

/** Bytes of a file from which on it goes up in parts, and of each part. */
const PART_BYTES = 8 << 20;

/** Milliseconds before the further attempts of a part; a part that came makes them begin anew. */
const PAUSES = [200, 1000, 2000, 5000, 15_000, 30_000];

/** Statuses of an answer after which another attempt may help. */
const RETRYABLE = new Set([0, 408, 409, 423, 429, 500, 502, 503, 504]);

/** Uploads that were begun, by their file: one that broke off goes on. @type {WeakMap<File, string>} */
const begun = new WeakMap();

/** The protocol of uploads in parts. */
const TUS = { 'tus-resumable': '1.0.0' };

/**
 * Uploads a file; `progress` is told which part of it has gone, 0 to 1.
 * @param {File} file
 * @param {(part: number) => void} progress
 * @param {AbortSignal} [signal] ends it
 * @returns {Promise<Segment>}
 */
export async function upload(file, progress, signal = new AbortController().signal) {
  const told = file.size > PART_BYTES ? await inParts(file, progress, signal) : await whole(file, progress, signal);
  return { ...segmentOf(file), mime: told.mime || file.type, media: told.media };
}

/**
 * @param {File} file
 * @param {(part: number) => void} progress
 * @param {AbortSignal} signal
 */
async function whole(file, progress, signal) {
  const url = address('api/media');
  url.searchParams.set('name', file.name);
  return put('POST', url, file, { 'content-type': file.type || 'application/octet-stream' }, (bytes) => progress(bytes / file.size), signal);
}

/**
 * @param {File} file
 * @param {(part: number) => void} progress
 * @param {AbortSignal} signal
 * @returns {Promise<{media?: string, mime?: string}>}
 */
async function inParts(file, progress, signal) {
  let state;
  try {
    state = await found(file);
  } catch (error) {
    // Bytes that are here already need no room, and that is known once they have come.
    if (error instanceof Refused && error.code === 'media_full') return whole(file, progress, signal);
    throw error;
  }
  const path = `api/uploads/${state.id}`;
  let failures = 0;
  while (!state.media) {
    const { offset } = state;
    try {
      const fields = { ...TUS, 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' };
      await put('PATCH', address(path), file.slice(offset, offset + PART_BYTES), fields, (bytes) => progress((offset + bytes) / file.size), signal);
      state = await ask(path);
      failures = 0;
    } catch (error) {
      if (signal.aborted) throw error;
      state = await goOn(path, error, () => PAUSES[failures++]);
    }
  }
  return state;
}

/** The upload of a file: the one that broke off, else a new one. @param {File} file */
async function found(file) {
  const known = begun.get(file);
  const state = known ? await ask(`api/uploads/${known}`).catch(() => undefined) : undefined;
  if (state) return state;
  const name = btoa(String.fromCodePoint(...new TextEncoder().encode(file.name)));
  const headers = { ...TUS, 'upload-length': String(file.size), 'upload-metadata': `filename ${name}` };
  const made = await ask('api/uploads', { method: 'POST', headers });
  begun.set(file, made.id);
  return made;
}

/**
 * Asks how far an upload is after a break, until the server answers or there were too many.
 * @param {string} path
 * @param {unknown} error
 * @param {() => number | undefined} nextPause
 */
async function goOn(path, error, nextPause) {
  for (;;) {
    const pause = error instanceof Refused && RETRYABLE.has(error.status) ? nextPause() : undefined;
    if (pause === undefined) throw error;
    await new Promise((resolve) => setTimeout(resolve, pause));
    try {
      return await ask(path);
    } catch (again) {
      error = again;
    }
  }
}

/**
 * Sends bytes; only this kind of request tells how far it has come.
 * @param {string} method
 * @param {URL} url
 * @param {Blob} bytes
 * @param {Record<string, string>} fields
 * @param {(bytes: number) => void} sent
 * @param {AbortSignal} signal
 * @returns {Promise<{media?: string, mime?: string}>}
 */
function put(method, url, bytes, fields, sent, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    if (token()) request.setRequestHeader('authorization', `Bearer ${token()}`);
    for (const [name, value] of Object.entries(fields)) request.setRequestHeader(name, value);
    request.responseType = 'json';
    request.upload.onprogress = (event) => sent(event.loaded);
    request.onerror = request.onabort = () => reject(new Refused(0, 'unreachable'));
    signal.addEventListener('abort', () => request.abort());
    request.onload = () => {
      const told = request.response ?? {};
      if (request.status >= 200 && request.status < 300) resolve(told);
      else reject(new Refused(request.status, told.error ?? '', told));
    };
    request.send(bytes);
  });
}
