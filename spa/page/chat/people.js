import { Refused, ask, conversationPath, withQuery } from '../api.js';
import { avatar } from '../avatar.js';
import { fill, h } from '../dom.js';
import { errorText } from '../errors.js';
import { author, machineTime, shortTime } from '../format.js';
import { t } from '../i18n.js';
import { isPrivate } from '../names.js';
import { openPopup, step } from './popup.js';

/** @typedef {import('../types.js').Message} Message */
/** @typedef {{id: string, name: string, at?: number, role?: 'owner' | 'admin', title?: string}} Member somebody who is here, when they wrote last, and what they are */

/** Messages that are looked at at once, and how often at most. */
const PAGE = 200;
const PAGES = 5;

/** People shown at once. */
const MAX_SHOWN = 200;

/** The people of one conversation: those who wrote, and the members whom its platform lists. */
export class People {
  /** By ID. @type {Map<string, Member>} */
  #known = new Map();
  /** @type {Promise<void> | undefined} */
  #loading;
  /** All members, where the platform lists them. */
  total = 0;

  /** @param {import('../types.js').Conversation} at */
  constructor(at) {
    this.at = at;
  }

  /** Those known so far: who wrote last first, then the silent ones, those with a role first. */
  get all() {
    return [...this.#known.values()].sort((a, b) => (b.at ?? 0) - (a.at ?? 0));
  }

  /** @param {Iterable<Message>} messages */
  learn(messages) {
    for (const message of messages) {
      const { sender, direction, created_at: at } = message;
      if (direction !== 'Inbound' || !sender) continue;
      const known = this.#known.get(sender.id);
      if ((known?.at ?? 0) <= at) this.#known.set(sender.id, { ...known, id: sender.id, name: author(message), at });
    }
  }

  /** Looks through the latest messages and asks for the members, once. */
  load() {
    this.#loading ??= Promise.all([this.#loadWriters(), this.#loadMembers()]).then(
      () => undefined,
      (error) => {
        this.#loading = undefined;
        throw error;
      },
    );
    return this.#loading;
  }

  async #loadWriters() {
    const { platform, conversation } = this.at;
    /** @type {string | undefined} */
    let before;
    for (let page = 0; page < PAGES; page += 1) {
      /** @type {{messages: Message[]}} */
      const { messages } = await ask(withQuery('api/messages', { platform, conversation, limit: PAGE, before }));
      this.learn(messages);
      before = messages.at(-1)?.id;
      if (messages.length < PAGE) return;
    }
  }

  /** Where a platform lists nobody, those who wrote are all who are known. */
  async #loadMembers() {
    if (isPrivate(this.at)) return;
    const { platform, conversation } = this.at;
    try {
      /** @type {{members: Member[], total: number}} */
      const { members, total } = await ask(`${conversationPath(platform, conversation)}/members`);
      for (const member of members) this.#known.set(member.id, { ...this.#known.get(member.id), ...member });
      this.total = total;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }
}

/**
 * Shows who is in a conversation.
 * @param {HTMLElement} beside
 * @param {People} people
 * @param {(one: Member) => void} chosen
 */
export function openPeople(beside, people, chosen) {
  const field = h('input', { type: 'search', placeholder: t('findPerson'), 'aria-label': t('findPerson'), oninput: draw });
  const list = h('div', { class: 'menu people', onkeydown: (/** @type {KeyboardEvent} */ event) => step(event, /** @type {HTMLElement[]} */ ([...list.children])) });
  const state = h('p', { class: 'muted', role: 'status' }, t('loading'));
  let isLoaded = false;
  function draw() {
    const q = field.value.trim().toLowerCase();
    const found = people.all.filter(({ id, name }) => name.toLowerCase().includes(q) || id.startsWith(q));
    fill(list, ...found.slice(0, MAX_SHOWN).map((one) => row(one, () => chosen(one))));
    if (!isLoaded) return;
    const count = people.total ? t('members', { n: people.total }) : t('peopleHere', { n: people.all.length });
    fill(state, count, found.length > MAX_SHOWN ? ` ${t('firstShown', { n: MAX_SHOWN })}` : '');
  }
  const tell = () => {
    isLoaded = true;
    draw();
  };
  draw();
  openPopup(beside, h('div', { class: 'people-here' }, field, list, state), t('people'));
  people.load().then(tell, (error) => fill(state, errorText(error)));
}

/**
 * @param {Member} one
 * @param {() => void} onclick
 */
function row({ id, name, at, role, title }, onclick) {
  const marks = [role && t(role), title].filter(Boolean).map((mark) => h('em', { class: 'role' }, mark));
  return h(
    'button',
    { class: 'plain', onclick },
    avatar(id, name),
    h('span', null, h('span', null, name, marks), h('small', null, id)),
    at ? h('time', { datetime: machineTime(at) }, shortTime(at)) : null,
  );
}
