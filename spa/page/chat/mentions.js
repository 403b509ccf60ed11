import { avatar } from '../avatar.js';
import { fill, h } from '../dom.js';
import { t } from '../i18n.js';

/** @typedef {{id: string, name: string}} Person */

/** People offered at once. */
const MAX_OFFERED = 8;

/** The ID that stands for everybody in a group. */
const EVERYBODY = 'all';

/** Everybody in a group, as one to mention. @returns {Person} */
export const everybody = () => ({ id: EVERYBODY, name: t('everybody') });

/** The mention that is being written, up to the caret. */
const BEGUN = /(?:^|\s)@([^\s@]{0,30})$/u;

/** Offers people while the user writes `@` and a part of a name. */
export class MentionCompletion {
  /** @type {Person[]} */
  #found = [];
  #at = 0;
  /** People who were chosen, by the name in the text. @type {Map<string, Person>} */
  #chosen = new Map();

  /**
   * @param {HTMLTextAreaElement} field
   * @param {() => Person[]} people who can be mentioned, those who spoke last first
   */
  constructor(field, people) {
    this.field = field;
    this.people = people;
    this.element = h('ul', { class: 'mentions', id: 'mentions', role: 'listbox', 'aria-label': t('mention'), hidden: true });
    field.setAttribute('aria-controls', 'mentions');
  }

  get isOpen() {
    return !this.element.hidden;
  }

  /** Knows the people whom a text mentions already. @param {import('../types.js').Segment[]} segments */
  learn(segments) {
    for (const { type, user = '', name = user } of segments) {
      if (type === 'mention') this.#chosen.set(name, { id: user, name });
      if (type === 'mention_all') this.#chosen.set(t('everybody'), everybody());
    }
  }

  /** Those who were chosen and stand in a text. @param {string} text */
  chosenIn(text) {
    return [...this.#chosen.values()].filter(({ name }) => text.includes(`@${name}`));
  }

  /** Knows people who were chosen before. @param {Person[]} people */
  choose(people) {
    for (const person of people) this.#chosen.set(person.name, person);
  }

  /** Looks at what is written. */
  update() {
    const begun = BEGUN.exec(this.field.value.slice(0, this.field.selectionStart))?.[1]?.toLowerCase();
    const matches = (/** @type {Person} */ { id, name }) => name.toLowerCase().includes(begun ?? '') || id.startsWith(begun ?? '');
    this.#found = begun === undefined ? [] : this.people().filter(matches).slice(0, MAX_OFFERED);
    this.#at = 0;
    this.#draw();
  }

  close() {
    this.#found = [];
    this.#draw();
  }

  /** Whether a key was for the list. @param {KeyboardEvent} event */
  key(event) {
    if (!this.isOpen) return false;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) this.#at = (this.#at + by + this.#found.length) % this.#found.length;
    else if (event.key === 'Enter' || event.key === 'Tab') this.#choose(this.#found[this.#at]);
    else if (event.key === 'Escape') this.#found = [];
    else return false;
    event.preventDefault();
    event.stopPropagation();
    this.#draw();
    return true;
  }

  /** @param {Person | undefined} person */
  #choose(person) {
    if (!person) return;
    const { selectionStart: caret, value } = this.field;
    const start = value.slice(0, caret).lastIndexOf('@');
    this.#chosen.set(person.name, person);
    this.field.setRangeText(`@${person.name} `, start, caret, 'end');
    this.#found = [];
    this.#draw();
    this.field.dispatchEvent(new Event('input'));
    this.field.focus();
  }

  #draw() {
    this.element.hidden = this.#found.length === 0;
    const rows = this.#found.map((person, index) =>
      h(
        'li',
        { id: `mention-${index}`, role: 'option', 'aria-selected': String(index === this.#at), onmousedown: (/** @type {Event} */ event) => {
          event.preventDefault();
          this.#choose(person);
        } },
        avatar(person.id, person.name),
        person.name,
      ),
    );
    fill(this.element, ...rows);
    if (this.isOpen) this.field.setAttribute('aria-activedescendant', `mention-${this.#at}`);
    else this.field.removeAttribute('aria-activedescendant');
  }

  /**
   * A text as segments, with those who were chosen as mentions.
   * @param {string} text
   * @returns {import('../types.js').Segment[]}
   */
  segments(text) {
    const names = [...this.#chosen.keys()].sort((a, b) => b.length - a.length);
    /** @type {import('../types.js').Segment[]} */
    const segments = [];
    let plain = '';
    for (let at = 0; at < text.length; ) {
      const name = names.find((one) => text.startsWith(`@${one}`, at));
      if (name === undefined) {
        plain += text.charAt(at);
        at += 1;
        continue;
      }
      if (plain) segments.push({ type: 'text', text: plain });
      const user = this.#chosen.get(name)?.id ?? name;
      segments.push(user === EVERYBODY ? { type: 'mention_all' } : { type: 'mention', user, name });
      plain = '';
      at += name.length + 1;
    }
    if (plain) segments.push({ type: 'text', text: plain });
    return segments;
  }
}
