import { Refused, address, ask, getMessage, tell, token } from '../api.js';
import { oneUpToDate, replace, withStatus } from '../changes.js';
import { upload } from '../chat/upload.js';
import { copyable } from '../clipboard.js';
import { describe } from '../content.js';
import { fill, h } from '../dom.js';
import { errorText, failureText } from '../errors.js';
import { platformName, size, time } from '../format.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { segmentOf, typeOf } from '../media.js';
import { statusMark } from '../message.js';
import { conversationName } from '../names.js';
import { link } from '../router.js';

/** @typedef {import('../types.js').Message} Message */
/** @typedef {import('../types.js').MessageType} MessageType */

/** The most bytes of a text, unless the server is configured otherwise; some are kept for the rest of the request. */
const MAX_BYTES = (1 << 20) - 2048;

/** Sent messages that are remembered while the page is open. */
const MAX_REMEMBERED = 20;

/** Messages that were sent from this page, the newest first. @type {Message[]} */
let sent = [];

/** The text that was typed and is not sent yet, kept while another view is shown. */
const draft = { platform: '', conversation: '', type: /** @type {MessageType} */ ('Text'), content: '', key: '' };

/** The key of the message that is being typed, so that it is made once however often it is handed over. */
function renew() {
  const words = crypto.getRandomValues(new Uint32Array(4));
  draft.key = Array.from(words, (word) => word.toString(16)).join('-');
}

/**
 * @param {import('../feed.js').Feed} feed
 * @param {URLSearchParams} parameters
 * @returns {import('../types.js').View}
 */
export function send(feed, parameters) {
  draft.platform = parameters.get('platform') ?? draft.platform;
  draft.conversation = parameters.get('conversation') ?? draft.conversation;
  if (!draft.key) renew();
  const list = h('ul', { class: 'sent-list', 'aria-live': 'polite' });
  const history = h('section', { class: 'card', 'aria-labelledby': 'sent-title' }, h('h2', { id: 'sent-title' }, t('sentHere')), list);
  const drawSent = () => {
    history.hidden = sent.length === 0;
    fill(list, ...sent.map((message) => h('li', null, sentLine(message))));
  };
  drawSent();
  const end = feed.batch.watch((batch) => {
    for (const event of batch) {
      const now = 'change' in event ? event.change : 'update' in event ? event.update : undefined;
      const message = now && sent.find((known) => known.id === now.id);
      if (message && now) replace(message, 'recipient' in now ? now : withStatus(message, now));
    }
    drawSent();
  });
  const again = feed.epoch.watch(() => void lookAgain(feed).then(drawSent));
  const form = new SendForm((message) => {
    sent = [message, ...sent].slice(0, MAX_REMEMBERED);
    drawSent();
    // Its status may have been told before the answer came.
    void lookAgain(feed).then(drawSent);
  });
  const element = h('div', { class: 'page narrow' }, h('h1', null, t('sendTitle')), form.element, history, form.commands);
  return {
    element,
    close: () => {
      end();
      again();
    },
  };
}

/** After a break: what became of those that were on their way. @param {import('../feed.js').Feed} feed */
async function lookAgain(feed) {
  const open = sent.filter(({ status }) => status === 'Pending' || status === 'Sending');
  await Promise.all(open.map(async (message) => replace(message, await oneUpToDate(feed, getMessage(message.id)).catch(() => message))));
}

/** @param {Message} message */
function sentLine(message) {
  return h(
    'a',
    { class: 'sent-line', href: link('activity', { message: message.id }) },
    h('span', { class: 'text' }, describe(message)),
    statusMark(message.status),
    h('span', { class: 'muted' }, `${platformName(message.platform)} · ${conversationName(message)} · ${time(message.created_at)}`),
    message.last_error ? h('span', { class: 'last-error' }, failureText(message)) : null,
    message.status === 'Pending' ? h('span', { class: 'muted' }, t('pendingWhy')) : null,
  );
}

class SendForm {
  /** @type {import('../types.js').Conversation[]} */
  #conversations = [];
  /** @type {File | undefined} */
  #file;

  /** @param {(message: Message) => void} done */
  constructor(done) {
    this.done = done;
    const edited = () => this.#edited();
    this.platform = h('select', { id: 'send-platform', onchange: edited }, h('option', { value: '' }, t('findPlatform')));
    this.known = h('datalist', { id: 'send-known' });
    this.conversation = h('input', { id: 'send-conversation', list: 'send-known', required: true, autocomplete: 'off', value: draft.conversation, placeholder: 'group_123456', oninput: edited, 'aria-describedby': 'conversation-help' });
    this.type = h('select', { id: 'send-type', onchange: edited }, .../** @type {MessageType[]} */ (['Text', 'Image', 'Audio', 'Video', 'File']).map((type) => h('option', { value: type }, t(type))));
    this.type.value = draft.type;
    this.content = h('textarea', { id: 'send-content', rows: '6', value: draft.content, oninput: edited, 'aria-describedby': 'content-count send-problem' });
    this.contentLabel = h('label', { for: 'send-content' });
    this.chosen = h('div', { class: 'chosen', hidden: true });
    this.progress = h('progress', { class: 'upload', hidden: true, 'aria-label': t('uploading') });
    this.count = h('span', { id: 'content-count', class: 'muted' });
    this.problem = h('p', { id: 'send-problem', class: 'problem', role: 'alert' });
    this.button = h('button', { class: 'primary', type: 'submit' }, icon('send'), t('send'));
    this.picker = h('input', { type: 'file', id: 'send-file', class: 'unseen', onchange: () => this.#pick() });
    const field = (/** @type {string} */ name, /** @type {HTMLElement} */ input, /** @type {HTMLElement | null} */ help = null) =>
      h('div', { class: 'field' }, h('label', { for: input.id }, name), input, help);
    this.element = h(
      'form',
      {
        class: 'card send-form',
        onsubmit: (/** @type {Event} */ event) => {
          event.preventDefault();
          void this.#submit();
        },
        onkeydown: (/** @type {KeyboardEvent} */ event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            this.element.requestSubmit();
          }
        },
      },
      h('div', { class: 'pair' }, field(t('platform'), this.platform), field(t('type'), this.type)),
      field(t('conversation'), this.conversation, h('p', { id: 'conversation-help', class: 'muted help' }, t('error_unaddressable'))),
      this.known,
      h('div', { class: 'field' }, this.contentLabel, this.content, this.chosen, this.progress),
      h('div', { class: 'under' }, h('span', { class: 'file-button' }, this.picker, h('label', { for: 'send-file', class: 'button' }, icon('file'), t('chooseFile'))), this.count),
      this.problem,
      h('div', { class: 'submit' }, h('span', { class: 'muted keys' }, 'Ctrl+Enter'), this.button),
    );
    this.lines = h('div');
    this.commands = h('section', { class: 'card', 'aria-labelledby': 'commands-title' }, h('h2', { id: 'commands-title' }, t('fromScripts')), h('p', { class: 'muted' }, t('fromScriptsText')), this.lines);
    this.#edited();
    void this.#suggest();
  }

  /** Keeps what is typed, and tells how much it is. */
  #edited() {
    const now = { platform: this.platform.value || (this.platform.options.length > 1 ? '' : draft.platform), conversation: this.conversation.value, type: /** @type {MessageType} */ (this.type.value), content: this.content.value };
    if (Object.entries(now).some(([name, value]) => draft[/** @type {keyof typeof now} */ (name)] !== value)) renew();
    Object.assign(draft, now);
    this.contentLabel.textContent = t(draft.type === 'Text' ? 'text' : 'addressOf');
    const bytes = new TextEncoder().encode(draft.content).length;
    const isTooMuch = bytes > MAX_BYTES;
    this.count.textContent = this.#file ? '' : t('characters', { n: [...draft.content].length });
    this.problem.textContent = isTooMuch ? t('tooLong', { most: size(MAX_BYTES), size: size(bytes) }) : '';
    this.button.disabled = isTooMuch;
    const lines = this.#file ? fileCommandsOf(draft, this.#file) : commandsOf(draft);
    fill(this.lines, ...(isTooMuch ? [] : lines.map(copyable)));
    fill(this.known, ...this.#offered().map((one) => h('option', { value: one.conversation, label: `${conversationName({ ...one, recipient: one.conversation, conversation_name: one.name })} · ${platformName(one.platform)}` })));
  }

  #offered() {
    const { platform } = draft;
    return this.#conversations.filter((one) => !platform || one.platform === platform).slice(0, 500);
  }

  async #suggest() {
    const [adapters, told] = await Promise.all([ask('api/platforms'), ask('api/conversations')]).catch(() => [undefined, undefined]);
    if (!adapters || !told) return;
    this.#conversations = told.conversations;
    const names = new Set([...adapters.platforms, ...this.#conversations].map((one) => one.platform));
    names.add(draft.platform);
    for (const none of ['', 'local']) names.delete(none);
    const isConnected = (/** @type {string} */ name) => adapters.platforms.some((/** @type {import('../types.js').Adapter} */ one) => one.platform === name && one.state === 'Connected');
    const word = (/** @type {string} */ name) => (isConnected(name) ? platformName(name) : `${platformName(name)} (${t('notConnected')})`);
    this.platform.append(...[...names].sort().map((name) => h('option', { value: name }, word(name))));
    this.platform.value = draft.platform;
    this.#edited();
  }

  #pick() {
    const file = this.picker.files?.[0];
    if (file) this.#setFile(file);
  }

  /** @param {File | undefined} file */
  #setFile(file) {
    this.#file = file;
    if (!file) this.picker.value = '';
    this.type.value = file ? typeOf(file) : 'Text';
    this.type.disabled = file !== undefined;
    this.content.hidden = file !== undefined;
    this.chosen.hidden = file === undefined;
    const drop = h('button', { type: 'button', class: 'plain', 'aria-label': t('dropFile'), onclick: () => this.#setFile(undefined) }, icon('close'));
    fill(this.chosen, ...(file ? [icon('file'), h('span', null, `${file.name} · ${size(file.size)}`), drop] : []));
    renew();
    this.#edited();
  }

  async #submit() {
    if (this.button.disabled) return;
    this.problem.textContent = '';
    if (!this.#file && !draft.content.trim()) {
      this.problem.textContent = t('error_empty');
      this.content.focus();
      return;
    }
    this.button.disabled = true;
    try {
      const content = this.#file ? { segments: [await this.#upload(this.#file)] } : { message_type: draft.type, content: draft.content };
      const body = { ...content, recipient: draft.conversation.trim(), ...(draft.platform ? { platform: draft.platform } : {}) };
      this.done(await tell('POST', 'api/messages', body, { 'idempotency-key': draft.key }));
      this.#setFile(undefined);
      this.content.value = '';
      this.#edited();
      renew();
      this.content.focus();
    } catch (error) {
      const isFar = error instanceof Refused && error.status === 0;
      this.problem.textContent = isFar ? t('notSentKept') : t('notSent', { why: errorText(error) });
    } finally {
      this.progress.hidden = true;
      this.button.disabled = false;
    }
  }

  /** Uploads a file and shows how far it is. @param {File} file */
  #upload(file) {
    this.progress.value = 0;
    this.progress.hidden = false;
    return upload(file, (part) => {
      this.progress.value = part;
    });
  }
}

/** Characters of the content that the lines to copy have. */
const MAX_COPIED = 2000;

/** A text as one word of a shell. @param {string} text */
const quoted = (text) => (/^[\w./:@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/**
 * The commands that send what is in the form.
 * @param {typeof draft} of
 */
function commandsOf({ platform, conversation, type, content }) {
  const said = content.slice(0, MAX_COPIED) || 'Hello';
  const { recipient, where } = receiverOf(platform, conversation);
  const body = JSON.stringify({ message_type: type, content: said, ...recipient });
  const kind = type === 'Text' ? '' : ` -t ${type}`;
  return [`${post()} -d ${quoted(body)}`, `rechat send ${where}${kind} ${quoted(said)}`];
}

/**
 * The commands that send a file; the bytes go up first.
 * @param {typeof draft} of
 * @param {File} file
 */
function fileCommandsOf({ platform, conversation }, file) {
  const { recipient, where } = receiverOf(platform, conversation);
  const path = address(`api/media?name=${encodeURIComponent(file.name)}`);
  const { type, name } = segmentOf(file);
  const [before, after] = JSON.stringify({ segments: [{ type, name, media: '\u0000' }], ...recipient }).split('\\u0000');
  return [
    `media=$(curl -s${authorization()} --data-binary ${quoted(`@${name}`)} '${path}' | jq -r .media)`,
    `${post()} -d ${quoted(before ?? '')}"$media"${quoted(after ?? '')}`,
    `rechat send ${where} --file ${quoted(file.name)}`,
  ];
}

/**
 * Where a message goes, for the API and for the command.
 * @param {string} platform
 * @param {string} conversation
 */
function receiverOf(platform, conversation) {
  const recipient = conversation.trim() || 'group_123456';
  return {
    recipient: { recipient, ...(platform ? { platform } : {}) },
    where: `-r ${quoted(recipient)}${platform ? ` -p ${quoted(platform)}` : ''}`,
  };
}

/** The token of a command, as a variable: a line to copy has no secret. */
const authorization = () => (token() ? ' -H "Authorization: Bearer $RECHAT_TOKEN"' : '');

const post = () => `curl ${address('api/messages')}${authorization()} -H 'Content-Type: application/json'`;
