/**
 * The few line icons of the page, drawn on a 24 × 24 grid.
 * @module
 */

const SVG = 'http://www.w3.org/2000/svg';

/** @type {Record<string, string>} */
const PATHS = {
  back: 'M15 5l-7 7 7 7',
  close: 'M6 6l12 12M18 6L6 18',
  chevron: 'M7 10l5 5 5-5',
  eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6z',
  file: 'M6 3h8l4 4v14H6zM14 3v4h4',
  globe: 'M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM3 12h18M12 3c3 3 3.6 6 3.6 9S15 18 12 21M12 3c-3 3-3.6 6-3.6 9S9 18 12 21',
  link: 'M14 4h6v6M20 4l-9 9M18 14v6H4V6h6',
  panel: 'M4 5h16v14H4zM14.5 5v14',
  picture: 'M4 5h16v14H4zM4 16l4.5-4.5 4 4 3-3L20 17M15.5 9.2h.01',
  reset: 'M5 12a7 7 0 1 0 2.2-5.1M5 4v4.5h4.5',
  robot: 'M6 8h12a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2zM12 8V4.5M9 13h.01M15 13h.01M9.5 16h5',
  send: 'M4 12L20 4l-5.5 16-3-6.5zM11.5 13.5L20 4',
};

/**
 * An icon that screen readers skip; its button carries the label.
 * @param {keyof typeof PATHS} name
 * @returns {SVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', PATHS[name] ?? '');
  svg.append(path);
  return svg;
}
