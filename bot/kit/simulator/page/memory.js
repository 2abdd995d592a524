/**
 * What the browser remembers between visits. A browser that forbids storage just forgets.
 * @module
 */

const PREFIX = 'dingsim.';

/**
 * @template T
 * @param {string} key
 * @param {T} fallback
 * @param {'local' | 'tab'} [where] `tab`: only in this tab, so that two tabs can be two people
 * @returns {T}
 */
export function recall(key, fallback, where = 'local') {
  try {
    const text = storage(where).getItem(PREFIX + key);
    return text === null ? fallback : JSON.parse(text);
  } catch {
    return fallback;
  }
}

/**
 * @param {string} key
 * @param {unknown} value
 * @param {'local' | 'tab'} [where]
 */
export function remember(key, value, where = 'local') {
  try {
    storage(where).setItem(PREFIX + key, JSON.stringify(value));
  } catch {
    // Private windows and full disks: the page works without a memory.
  }
}

/** @param {'local' | 'tab'} where */
function storage(where) {
  return where === 'tab' ? sessionStorage : localStorage;
}
