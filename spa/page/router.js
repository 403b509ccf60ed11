/** @typedef {'dashboard' | 'messages' | 'activity' | 'send' | 'platforms'} Place */

/** @type {Place[]} */
export const PLACES = ['dashboard', 'messages', 'activity', 'send', 'platforms'];

/** Where the address says we are: `#messages?status=Failed`. */
export function here() {
  const [name = '', query = ''] = location.hash.slice(1).split('?', 2);
  const place = PLACES.find((known) => known === name) ?? 'dashboard';
  return { place, parameters: new URLSearchParams(query) };
}

/** Takes the code that `rechat open` wrote out of the address and its history; empty without one. */
export function takeSignInCode() {
  const code = new URLSearchParams(location.hash.slice(1)).get('sign-in') ?? '';
  if (code) history.replaceState(null, '', link('dashboard'));
  return code;
}

/**
 * The address of a place.
 * @param {Place} place
 * @param {Record<string, string | undefined>} [parameters]
 */
export function link(place, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value) query.set(name, value);
  const text = query.toString();
  return text ? `#${place}?${text}` : `#${place}`;
}

/**
 * Writes what is looked at into the address, without a new entry in the history.
 * @param {Place} place
 * @param {Record<string, string | undefined>} parameters
 */
export function remember(place, parameters) {
  history.replaceState(null, '', link(place, parameters));
}
