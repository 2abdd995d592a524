/**
 * Frames and API calls as they happen, newest at the end like the chat beside them.
 * @module
 */

import { exactTime } from './dates.js';
import { byId, el } from './dom.js';
import { say } from './words.js';

const MOST_ROWS = 500;
const NEAR_PX = 40;
const SLOW_MS = 1000;
const ARROWS = { push: '↓', ack: '↑', call: '→', note: '•' };

/** @typedef {import('./session.js').TimelineItem} TimelineItem */

/** @param {import('./session.js').Session} session */
export function mountTimeline(session) {
  const list = byId('timeline');
  const scroller = byId('timeline-scroll');
  const filter = /** @type {HTMLInputElement} */ (byId('timeline-filter'));
  const empty = byId('timeline-empty');
  /** @type {HTMLElement[]} */
  const chips = [...byId('timeline-kinds').querySelectorAll('[data-kind]')];
  /** @type {TimelineItem[]} news that waits for the next frame of the screen */
  let waiting = [];

  const matches = (/** @type {HTMLElement} */ row) => {
    const words = filter.value.trim().toLowerCase();
    const off = chips.filter((chip) => chip.getAttribute('aria-pressed') === 'false').map((chip) => chip.dataset.kind);
    const errors = byId('timeline-errors').getAttribute('aria-pressed') === 'true';
    return !off.includes(row.dataset.direction) && (!errors || row.dataset.tone === 'bad')
      && (!words || (row.dataset.words ?? '').includes(words));
  };

  const drawEmpty = () => {
    const shown = list.querySelector('li:not([hidden])') !== null;
    empty.hidden = shown;
    empty.textContent = say(list.children.length ? 'timeline.nomatch' : 'timeline.empty');
  };

  const flush = () => {
    const atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_PX;
    const rows = waiting.slice(-MOST_ROWS).map(drawRow);
    waiting = [];
    for (const row of rows) row.hidden = !matches(row);
    list.append(...rows);
    for (let extra = list.children.length - MOST_ROWS; extra > 0; extra -= 1) list.firstChild.remove();
    drawEmpty();
    if (atEnd) scroller.scrollTop = scroller.scrollHeight;
  };

  const refilter = () => {
    for (const row of /** @type {HTMLElement[]} */ ([...list.children])) row.hidden = !matches(row);
    drawEmpty();
    scroller.scrollTop = scroller.scrollHeight;
  };
  const clear = () => {
    list.replaceChildren();
    waiting = [];
    drawEmpty();
  };

  filter.addEventListener('input', refilter);
  for (const chip of [...chips, byId('timeline-errors')]) {
    chip.addEventListener('click', () => {
      chip.setAttribute('aria-pressed', String(chip.getAttribute('aria-pressed') !== 'true'));
      refilter();
    });
  }
  byId('timeline-clear').addEventListener('click', clear);
  session.listen('timeline', (/** @type {TimelineItem} */ item) => {
    if (waiting.length === 0) setTimeout(flush, 50);
    waiting.push(item);
  });
  session.listen('timeline-reset', clear);
  drawEmpty();
  return { redraw: drawEmpty };
}

/** @param {TimelineItem} item */
function drawRow(item) {
  const { direction, name, status, ms, summary, at } = item;
  const tone = toneOf(item);
  const details = el('details', {},
    el('summary', {},
      el('span', { class: `arrow ${direction}`, title: say(`direction.${direction}`) }, ARROWS[direction] ?? '•'),
      el('span', { class: 'row-text' },
        el('span', { class: 'row-name' }, ...breakable(name)),
        el('span', { class: 'row-summary' }, summary)),
      el('span', { class: 'row-facts' },
        el('span', { class: 'row-line' },
          status > 0 && el('span', { class: `status ${tone}` }, String(status)),
          ms > 0 && el('span', { class: ms >= SLOW_MS ? 'ms slow' : 'ms' }, duration(ms))),
        el('time', { class: 'row-time' }, exactTime(at)))));
  // The detail may be long: it is written out when somebody asks for it.
  details.addEventListener('toggle', () => {
    if (details.hasAttribute('open') && !details.querySelector('pre')) {
      details.append(el('pre', { tabindex: 0 }, JSON.stringify(item.detail, null, 2)));
    }
  });
  return el('li', { data: { testid: 'timeline-row', direction, tone, name, words: `${name} ${summary} ${status}`.toLowerCase() } },
    details);
}

/**
 * A path that may be broken after its slashes.
 * @param {string} path
 * @returns {(string | Node)[]}
 */
function breakable(path) {
  return path.split(/(?<=[^/ ]\/)/).flatMap((part, index) => (index ? [el('wbr'), part] : [part]));
}

/**
 * @param {TimelineItem} item
 * @returns {'good' | 'warn' | 'bad' | 'quiet'}
 */
function toneOf({ status }) {
  if (status >= 400) return 'bad';
  if (status >= 300) return 'warn';
  return status >= 200 ? 'good' : 'quiet';
}

/** @param {number} ms */
function duration(ms) {
  return ms >= SLOW_MS ? `${(ms / 1000).toFixed(1)} s` : `${ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms)} ms`;
}
