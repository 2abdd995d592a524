/**
 * Which addresses of other people's data the page follows.
 * @module
 */

/**
 * The address when a click may go there, else "".
 * @param {string} address
 */
export function linkAddress(address) {
  return allowed(address, ['http:', 'https:', 'dingtalk:']);
}

/**
 * The address when a picture may come from there, else "" (a media id `@lAL…` has no address of its own).
 * @param {string} address
 */
export function pictureAddress(address) {
  return allowed(address, ['http:', 'https:']);
}

/**
 * @param {string} address
 * @param {string[]} schemes
 */
function allowed(address, schemes) {
  if (!URL.canParse(address)) return '';
  const url = new URL(address);
  return schemes.includes(url.protocol) ? url.href : '';
}
