// Making elements. Text always becomes a text node: nothing here reads HTML.

/** @typedef {Node | string | number | false | null | undefined} Child */
/** @typedef {Record<string, any>} Props */

/**
 * An element: functions are listeners, booleans switch attributes, `class` may be a list.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Props | null} [props]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) set(element, name, value);
  fill(element, ...children);
  return element;
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {any} value
 */
function set(element, name, value) {
  if (value === undefined || value === null) return;
  if (typeof value === 'function') element.addEventListener(name.slice(2), value);
  else if (name === 'value') /** @type {HTMLInputElement} */ (element).value = value;
  else if (typeof value === 'boolean' && !name.startsWith('aria-')) element.toggleAttribute(name, value);
  else element.setAttribute(name, String(value));
}

/**
 * Puts children in place of those an element has.
 * @param {Element} element
 * @param {...(Child | Child[])} children
 */
export function fill(element, ...children) {
  const nodes = children.flat().filter((child) => child !== false && child !== null && child !== undefined);
  element.replaceChildren(...nodes.map((child) => (child instanceof Node ? child : String(child))));
}

/** Whether a key is for an input method, as Enter that ends a Chinese word is; WebKit tells it by the number alone. @param {KeyboardEvent} event */
export const isComposing = (event) => event.isComposing || event.keyCode === 229;

/**
 * An element of a drawing.
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | number>} attributes
 * @param {...Node} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function svg(tag, attributes, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/**
 * Calls at most once in so many milliseconds, and once more at the end where more was asked.
 * @param {number} pause
 * @param {() => void} call
 * @returns {() => void}
 */
export function atMostEvery(pause, call) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let isDue = false;
  const run = () => {
    call();
    timer = setTimeout(() => {
      timer = undefined;
      if (isDue) {
        isDue = false;
        run();
      }
    }, pause);
  };
  return () => {
    if (timer) isDue = true;
    else run();
  };
}
