import { lineOf, segmentsOf, textOf } from '../content.js';
import { fill, h, isComposing } from '../dom.js';
import { author, size } from '../format.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { keyOf } from '../names.js';
import { preferences } from '../preferences.js';
import { draftOf, keepDraft } from './drafts.js';
import { pickEmoji } from './emoji.js';
import { MentionCompletion } from './mentions.js';
import { previewOf } from './outgoing.js';
import { Recorder, canRecord } from './recorder.js';

/** @typedef {import('../types.js').Message} Message */
/** @typedef {import('../types.js').Segment} Segment */

/** Characters of the answered message that are kept with an answer. */
const EXCERPT = 120;

/** Whether a segment is a part of the text that is written. @param {Segment} segment */
const isWritten = ({ type }) => type === 'text' || type.startsWith('mention');

/** Files that are not sent yet, by conversation: they stay while another one is open. @type {Map<string, File[]>} */
const attached = new Map();

/** Edits that are not done, by conversation. @type {Map<string, {message: Message, text: string}>} */
const edits = new Map();

/** Where one writes: text with mentions and emoji, files, an answer, an edit. */
export class Composer {
  /** @type {File[]} */
  #files;
  /** @type {NonNullable<import('./drafts.js').Draft['reply']> | undefined} */
  #reply;
  /** @type {Message | undefined} */
  #edited;
  /** Segments of the edited message that are no text, such as its pictures. @type {Segment[]} */
  #kept = [];

  /**
   * @param {{platform: string, conversation: string}} to
   * @param {object} by
   * @param {() => {id: string, name: string}[]} by.people
   * @param {(segments: Segment[], files: File[], reply: Message['reply_to']) => void} by.send
   * @param {(message: Message, segments: Segment[]) => Promise<boolean>} by.edit tells whether it was done
   * @param {() => void} by.editLast asked for by the up key in an empty field
   * @param {() => void} by.leave asked for by Escape
   */
  constructor(to, by) {
    this.to = to;
    this.by = by;
    this.key = keyOf(to.platform, to.conversation);
    this.#files = attached.get(this.key) ?? [];
    const draft = draftOf(to);
    this.field = h('textarea', { rows: '1', placeholder: t('writeMessage'), 'aria-label': t('writeMessage'), 'aria-autocomplete': 'list', value: draft?.text ?? '', oninput: () => this.#written(), onkeydown: (/** @type {KeyboardEvent} */ event) => this.#key(event), onpaste: (/** @type {ClipboardEvent} */ event) => this.#pasted(event), onblur: () => this.mentions.close() });
    this.mentions = new MentionCompletion(this.field, by.people);
    this.bar = h('div', { class: 'composer-bar', hidden: true });
    this.chips = h('ul', { class: 'chips', hidden: true, 'aria-label': t('files') });
    this.picker = h('input', { type: 'file', class: 'unseen', multiple: true, tabindex: '-1', 'aria-label': t('attach'), onchange: () => this.#picked() });
    const emoji = h('button', { class: 'plain', type: 'button', 'aria-label': t('emoji'), title: t('emoji'), onclick: () => pickEmoji(emoji, (one) => this.#insert(one)) }, icon('smile'));
    this.recorder = new Recorder((voice) => this.#sendVoice(voice), () => this.focus());
    const mic = h('button', { class: 'plain mic', type: 'button', 'aria-label': t('recordVoice'), title: t('recordVoice'), onclick: () => void this.recorder.begin() }, icon('mic'));
    this.sendButton = h('button', { class: 'primary send', type: 'submit', 'aria-label': t('send') }, icon('send'));
    this.element = h(
      'form',
      { class: 'composer', onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        this.#submit();
      } },
      this.mentions.element,
      this.bar,
      this.chips,
      this.recorder.element,
      h(
        'div',
        { class: 'composer-line' },
        this.picker,
        h('button', { class: 'plain', type: 'button', 'aria-label': t('attach'), title: t('attach'), onclick: () => this.picker.click() }, icon('attach')),
        this.field,
        emoji,
        canRecord() ? mic : null,
        this.sendButton,
      ),
    );
    this.mentions.choose(draft?.people ?? []);
    if (draft?.reply) this.#setReply(draft.reply);
    this.#drawChips();
    const begun = edits.get(this.key);
    if (begun) {
      this.edit(begun.message);
      this.field.value = begun.text;
    }
    this.end = preferences.follow(({ enterSends }) => {
      this.sendButton.title = t(enterSends ? 'enterSends' : 'ctrlEnterSends');
    });
    requestAnimationFrame(() => this.#fit());
  }

  close() {
    this.recorder.end(false);
    this.end();
  }

  focus() {
    this.field.focus();
  }

  /** Begins an answer. @param {Message} message */
  reply(message) {
    this.#edited = undefined;
    const name = author(message);
    this.#setReply({ id: message.id, sender: { id: message.sender?.id ?? '', name }, content: lineOf(message).slice(0, EXCERPT) });
    this.#keep();
    this.focus();
  }

  /** @param {Message} message */
  edit(message) {
    this.#edited = message;
    this.#reply = undefined;
    const segments = segmentsOf(message);
    this.#kept = segments.filter((segment) => !isWritten(segment));
    this.mentions.learn(segments);
    this.field.value = textOf({ content: '', segments: segments.filter(isWritten) });
    this.#showBar('edit', t('editing'), lineOf(message));
    this.#keep();
    this.#fit();
    this.focus();
  }

  /** Ends an answer or an edit; whether there was one. */
  cancel() {
    if (this.#edited) this.field.value = draftOf(this.to)?.text ?? '';
    const had = this.#edited !== undefined || this.#reply !== undefined;
    edits.delete(this.key);
    this.#edited = undefined;
    this.#reply = undefined;
    this.bar.hidden = true;
    delete this.element.dataset.bar;
    this.#keep();
    this.#fit();
    return had;
  }

  /** Mentions somebody in what is written. @param {import('./mentions.js').Person} person */
  mention(person) {
    this.mentions.choose([person]);
    const { selectionStart: at, value } = this.field;
    this.#insert(`${at > 0 && !/\s/.test(value.charAt(at - 1)) ? ' ' : ''}@${person.name} `);
  }

  /** @param {Iterable<File>} files */
  attach(files) {
    this.#files.push(...files);
    this.#drawChips();
    this.focus();
  }

  /** @param {NonNullable<import('./drafts.js').Draft['reply']>} reply */
  #setReply(reply) {
    this.#reply = reply;
    this.#showBar('reply', t('replyTo', { name: reply.sender?.name ?? '' }), reply.content);
  }

  /**
   * @param {'reply' | 'edit'} kind
   * @param {string} title
   * @param {string} said
   */
  #showBar(kind, title, said) {
    const close = h('button', { class: 'plain', type: 'button', 'aria-label': t('cancelThis'), title: 'Esc', onclick: () => this.cancel() }, icon('close'));
    fill(this.bar, icon(kind), h('div', null, h('strong', null, title), h('span', null, said)), close);
    this.bar.hidden = false;
    this.element.dataset.bar = kind;
  }

  /** @param {File} voice */
  #sendVoice(voice) {
    this.by.send([], [voice], this.#reply);
    this.cancel();
  }

  #drawChips() {
    attached.set(this.key, this.#files);
    this.chips.hidden = this.#files.length === 0;
    const chips = this.#files.map((file) => {
      const drop = () => {
        this.#files = this.#files.filter((one) => one !== file);
        this.#drawChips();
        this.focus();
      };
      const picture = file.type.startsWith('image/') ? h('img', { src: previewOf(file), alt: '' }) : icon('file');
      return h('li', null, picture, h('span', null, h('strong', null, file.name), h('small', null, size(file.size))), h('button', { class: 'plain', type: 'button', 'aria-label': `${t('dropFile')}: ${file.name}`, onclick: drop }, icon('close')));
    });
    fill(this.chips, ...chips);
  }

  #written() {
    this.mentions.update();
    this.#keep();
    this.#fit();
  }

  /** Keeps what is written; an edit beside the draft, for as long as the page lives. */
  #keep() {
    const text = this.field.value;
    if (this.#edited) edits.set(this.key, { message: this.#edited, text });
    else keepDraft(this.to, { text, people: this.mentions.chosenIn(text), ...(this.#reply ? { reply: this.#reply } : {}) });
  }

  /** Puts a text into the field, behind what is there. @param {string} text */
  take(text) {
    this.focus();
    this.field.setRangeText(text, this.field.value.length, this.field.value.length, 'end');
    this.#written();
  }

  /** As high as what is written. */
  #fit() {
    this.field.style.height = 'auto';
    this.field.style.height = `${this.field.scrollHeight + 2}px`;
  }

  /** @param {string} text */
  #insert(text) {
    this.field.focus();
    this.field.setRangeText(text, this.field.selectionStart, this.field.selectionEnd, 'end');
    this.#written();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (isComposing(event) || this.mentions.key(event)) return;
    const isPlain = !event.shiftKey && !event.altKey;
    const sends = preferences.value.enterSends || event.ctrlKey || event.metaKey;
    if (event.key === 'Enter' && isPlain && sends) {
      event.preventDefault();
      this.element.requestSubmit();
    } else if (event.key === 'ArrowUp' && this.field.value === '' && isPlain) {
      event.preventDefault();
      this.by.editLast();
    } else if (event.key === 'Escape') {
      event.stopPropagation();
      if (!this.cancel()) this.by.leave();
    }
  }

  /** @param {ClipboardEvent} event */
  #pasted(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    // Cells of a table come as text and as a picture of it.
    if (files.length === 0 || event.clipboardData?.getData('text/plain')) return;
    event.preventDefault();
    this.attach(files);
  }

  #picked() {
    this.attach(this.picker.files ?? []);
    this.picker.value = '';
  }

  #submit() {
    const text = this.field.value.trim();
    const segments = this.mentions.segments(text);
    const edited = this.#edited;
    if (edited) {
      const isDone = () => this.#edited === edited && this.cancel();
      if (text) void this.by.edit(edited, [...this.#kept, ...segments]).then((isTaken) => isTaken && isDone());
      else isDone();
      return;
    }
    if (!text && this.#files.length === 0) return;
    this.by.send(segments, this.#files, this.#reply);
    this.#files = [];
    this.#drawChips();
    this.field.value = '';
    this.cancel();
  }
}
