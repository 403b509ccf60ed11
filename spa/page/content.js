// The content of a message, in the reader's language.

import { faceOf } from './chat/faces.js';
import { size } from './format.js';
import { t } from './i18n.js';
import { carriesBytes, fileNameOf, nameOf, sizeOf, webAddress } from './media.js';

/** @typedef {import('./types.js').Message} Message */
/** @typedef {import('./types.js').Segment} Segment */

/** Characters of a message that a line of a list can show. */
const LINE = 300;

/** Words for media, by the type of their segments. */
export const MEDIA_WORDS = /** @type {const} */ ({ image: 'Image', audio: 'Audio', video: 'Video', file: 'File' });

/** @param {Segment} segment */
export const isMedia = (segment) => segment.type in MEDIA_WORDS;

/** A recorded voice, of which the name says nothing. @param {Segment} segment */
export const isVoice = ({ type, name = '' }) => type === 'audio' && /^$|^voice\.\w+$|\.(amr|silk|slk)$/i.test(name);

/**
 * The segments of a message; what is one plain text, or an address alone, comes without.
 * @param {Pick<Message, 'segments' | 'content' | 'message_type'>} message
 * @returns {Segment[]}
 */
export function segmentsOf({ segments, content, message_type: type }) {
  if (segments && segments.length > 0) return segments;
  if (type === 'Text' && !carriesBytes(content)) return [{ type: 'text', text: content }];
  const kind = type === 'Text' ? 'file' : /** @type {Segment['type']} */ (type.toLowerCase());
  if (carriesBytes(content)) return [{ type: kind, url: content, name: nameOf(content), size: sizeOf(content) }];
  const url = webAddress(content);
  return url ? [{ type: kind, url: url.href }] : [{ type: 'text', text: content }];
}

/** The most telling words of a medium: of a picture or a voice, its name is none. @param {Segment} segment */
const saidOf = (segment) => segment.text || segment.summary || (segment.type === 'image' || isVoice(segment) ? '' : segment.name);

/** A segment in a few words. @param {Segment} segment */
function words(segment) {
  switch (segment.type) {
    case 'text':
      return segment.text ?? '';
    case 'mention':
      return `@${segment.name || (segment.me ? t('you') : segment.user)}`;
    case 'mention_all':
      return `@${t('everybody')}`;
    case 'emoji':
      return faceOf(segment.id) || `[${segment.name || t('emoji')}]`;
    case 'location':
      return bracketed(t('location'), segment.title);
    case 'forward':
      return bracketed(t('forward'), segment.title);
    case 'card':
      return bracketed(t('card'), segment.title || segment.text);
    case 'other':
      return segment.text || `[${segment.name}]`;
    default:
      return bracketed(t(MEDIA_WORDS[segment.type]), saidOf(segment));
  }
}

/**
 * @param {string} word
 * @param {string | undefined} more
 */
const bracketed = (word, more) => (more ? `[${word}] ${more}` : `[${word}]`);

/**
 * A message in one line.
 * @param {Message} message
 * @param {number} most characters of it
 */
export function lineOf(message, most = LINE) {
  return segmentsOf(message).map((segment) => words(segment).slice(0, most)).join(' ').slice(0, most).replace(/\s+/g, ' ').trim();
}

/** A message in one line, a file with its name and size. @param {Message} message */
export function describe(message) {
  const [only, ...others] = segmentsOf(message);
  if (!only || others.length > 0 || !isMedia(only)) return lineOf(message);
  const url = webAddress(only.url ?? '');
  const word = MEDIA_WORDS[/** @type {keyof typeof MEDIA_WORDS} */ (only.type)];
  return [t(word), (!isVoice(only) && only.name) || (url && fileNameOf(url)), only.size === undefined ? '' : size(only.size)].filter(Boolean).join(' · ');
}

/** The text of a message as one would write it, to copy or to edit. @param {Pick<Message, 'content' | 'segments'>} message */
export function textOf(message) {
  if (!message.segments) return message.content;
  return message.segments.map(words).join('');
}
