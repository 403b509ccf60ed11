/**
 * A value that others watch.
 * @template T
 */
export class Signal {
  /** @type {Set<(value: T) => void>} */
  #watchers = new Set();
  /** @type {T} */
  #value;

  /** @param {T} value */
  constructor(value) {
    this.#value = value;
  }

  get value() {
    return this.#value;
  }

  set value(value) {
    this.#value = value;
    for (const tell of [...this.#watchers]) tell(value);
  }

  /**
   * Tells each new value, until the function it returns is called.
   * @param {(value: T) => void} tell
   * @returns {() => void}
   */
  watch(tell) {
    this.#watchers.add(tell);
    return () => this.#watchers.delete(tell);
  }

  /**
   * Tells the value as it is, and each new one.
   * @param {(value: T) => void} tell
   * @returns {() => void}
   */
  follow(tell) {
    tell(this.#value);
    return this.watch(tell);
  }
}
