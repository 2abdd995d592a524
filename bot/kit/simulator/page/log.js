/**
 * The drawn messages of one conversation.
 * @module
 */

import { drawEntry } from './bubbles.js';
import { chatTime } from './dates.js';
import { el } from './dom.js';
import { attempt, toast } from './toast.js';
import { say } from './words.js';

/** Entries drawn at once; earlier ones come on demand. */
const PAGE = 200;
/** A pause longer than this puts the time between two messages. */
const PAUSE_MS = 5 * 60_000;

/**
 * Each conversation keeps its own, so that going back and forth costs nothing and keeps the place.
 */
export class Log {
  /** @type {Map<number, import('./bubbles.js').Entry>} by seq */ #entries = new Map();
  #list = el('ol', { class: 'log-list' });
  #pinned = el('ol', { class: 'pinned', hidden: true });
  element = el('div', { class: 'log' }, this.#pinned, this.#list);
  /** The reader is at the newest message and wants to stay there. */
  atEnd = true;
  place = 0;
  #scene;
  #session;
  #id;
  #first = 0;
  #earlier;

  /**
   * @param {import('./session.js').Session} session
   * @param {import('./session.js').Conversation} conversation
   */
  constructor(session, { id, kind }) {
    this.#session = session;
    this.#id = id;
    this.#scene = {
      viewer: session.person?.userId ?? '', group: kind === 'group', robotName: session.robot.name, people: session.people,
      press: (/** @type {any} */ item, /** @type {any} */ button, /** @type {any} */ fields) => press(session, item, button, fields),
    };
    this.#earlier = el('button', { class: 'earlier', type: 'button', on: { click: () => this.#showEarlier() } },
      say('chat.earlier'));
  }

  /** Draw what is missing, bring the rest up to date. */
  sync() {
    const items = this.#session.items(this.#id);
    if (this.#entries.size === 0) this.#first = Math.max(0, items.length - PAGE);
    items.slice(this.#first).forEach((item) => this.put(item));
    this.#earlierButton();
  }

  /** @param {import('./session.js').Item} item */
  put(item) {
    const known = this.#entries.get(item.seq);
    if (item.top && item.recalled) {
      this.#takeDown(item.seq);
      return;
    }
    if (known) {
      known.update(item);
      return;
    }
    const items = this.#session.items(this.#id);
    const at = items.findLastIndex(({ seq }) => seq === item.seq);
    if (at < this.#first) return;
    const entry = drawEntry(item, this.#scene);
    this.#entries.set(item.seq, entry);
    if (item.top) {
      this.#pinned.setAttribute('aria-label', say('chat.pinned'));
      this.#pinned.append(entry.element);
      this.#pinned.hidden = false;
      return;
    }
    const following = items.slice(at + 1).find(({ seq, top }) => !top && this.#entries.has(seq));
    const next = following && this.#entries.get(following.seq)?.element;
    const before = items[at - 1];
    if (!before || item.at - before.at > PAUSE_MS) {
      entry.element.prepend(el('time', { class: 'pause' }, chatTime(item.at)));
    }
    if (next) next.before(entry.element);
    else this.#list.append(entry.element);
  }

  /**
   * A card that was closed at the top leaves it.
   * @param {number} seq
   */
  #takeDown(seq) {
    this.#entries.get(seq)?.element.remove();
    this.#entries.delete(seq);
    this.#pinned.hidden = !this.#pinned.childElementCount;
  }

  #showEarlier() {
    const scroller = /** @type {HTMLElement} */ (this.element.parentElement);
    const fromEnd = scroller.scrollHeight - scroller.scrollTop;
    this.#first = Math.max(0, this.#first - PAGE);
    this.sync();
    scroller.scrollTop = scroller.scrollHeight - fromEnd;
  }

  #earlierButton() {
    if (this.#first > 0) this.#list.before(this.#earlier);
    else this.#earlier.remove();
  }
}

/**
 * @param {import('./session.js').Session} session
 * @param {import('./session.js').Item} item
 * @param {import('./card.js').Button} button
 * @param {Record<string, string>} fields
 */
async function press(session, item, button, fields) {
  const answer = await attempt(() => session.click(item, button, fields));
  if (!answer) return;
  if (answer.toast) toast(answer.toast, answer.ok ? 'info' : 'bad');
  else if (!answer.ok) toast(say('click.failed'), 'bad');
}
