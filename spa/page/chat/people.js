import { ask, withQuery } from '../api.js';
import { avatar } from '../avatar.js';
import { fill, h } from '../dom.js';
import { errorText } from '../errors.js';
import { author, machineTime, shortTime } from '../format.js';
import { t } from '../i18n.js';
import { openPopup, step } from './popup.js';

/** @typedef {import('../types.js').Message} Message */
/** @typedef {{id: string, name: string, at: number}} Member somebody who wrote here, and when last */

/** Messages that are looked at at once, and how often at most. */
const PAGE = 200;
const PAGES = 5;

/** The people who wrote in one conversation; the server keeps no other list of its members. */
export class People {
  /** By ID. @type {Map<string, Member>} */
  #known = new Map();
  /** @type {Promise<void> | undefined} */
  #loading;

  /** @param {{platform: string, conversation: string}} at */
  constructor(at) {
    this.at = at;
  }

  /** Those known so far, who wrote last first. */
  get all() {
    return [...this.#known.values()].sort((a, b) => b.at - a.at);
  }

  /** @param {Iterable<Message>} messages */
  learn(messages) {
    for (const message of messages) {
      const { sender, direction, created_at: at } = message;
      if (direction !== 'Inbound' || !sender) continue;
      const known = this.#known.get(sender.id);
      if (!known || known.at <= at) this.#known.set(sender.id, { id: sender.id, name: author(message), at });
    }
  }

  /** Looks through the latest messages, once. */
  load() {
    this.#loading ??= this.#load().catch((error) => {
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }

  async #load() {
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
  function draw() {
    const q = field.value.trim().toLowerCase();
    const found = people.all.filter(({ id, name }) => name.toLowerCase().includes(q) || id.startsWith(q));
    const rows = found.map((one) =>
      h('button', { class: 'plain', onclick: () => chosen(one) }, avatar(one.id, one.name), h('span', null, one.name, h('small', null, one.id)), h('time', { datetime: machineTime(one.at) }, shortTime(one.at))),
    );
    fill(list, ...rows);
  }
  const tell = () => {
    draw();
    const { length: n } = people.all;
    fill(state, t('peopleHere', { n }));
  };
  draw();
  openPopup(beside, h('div', { class: 'people-here' }, field, list, state), t('people'));
  people.load().then(tell, (error) => fill(state, errorText(error)));
}
