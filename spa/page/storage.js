// Values kept in this browser, as far as it allows that; other tabs may have changed them.

/** Values of a browser that keeps nothing: they last as long as this page. @type {Record<string, any>} */
const unkept = {};

/** An object that was kept, or else an empty one. @param {string} place @returns {Record<string, any>} */
export function stored(place) {
  try {
    const kept = JSON.parse(localStorage.getItem(place) ?? 'null');
    return kept && typeof kept === 'object' ? kept : unkept[place] ?? {};
  } catch {
    return unkept[place] ?? {};
  }
}

/**
 * @param {string} place
 * @param {Record<string, any>} value an empty one is removed
 */
export function keepStored(place, value) {
  try {
    if (Object.keys(value).length > 0) localStorage.setItem(place, JSON.stringify(value));
    else localStorage.removeItem(place);
  } catch {
    unkept[place] = value;
  }
}
