/**
 * The open conversation: header, messages, the note that no bot is there.
 * @module
 */

import { drawEntry } from './bubbles.js';
import { summary } from './conversations.js';
import { chatTime } from './dates.js';
import { byId, el } from './dom.js';
import { nameOf } from './faces.js';
import { attempt, toast } from './toast.js';
import { say } from './words.js';

/** Entries drawn at once; earlier ones come on demand. */
const PAGE = 200;
/** A pause longer than this puts the time between two messages. */
const PAUSE_MS = 5 * 60_000;
/** Nearer to the end than this counts as reading the newest. */
const NEAR_PX = 80;

/**
 * One conversation's drawn messages. Each conversation keeps its own, so that going back and forth costs nothing and
 * keeps the place.
 */
class Log {
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
      press: (/** @type {any} */ item, /** @type {any} */ button) => press(session, item, button),
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
      entry.element.classList.add('after-pause');
    }
    if (next) next.before(entry.element);
    else this.#list.append(entry.element);
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
 */
async function press(session, item, button) {
  const answer = await attempt(() => session.click(item, button));
  if (!answer) return;
  if (answer.toast) toast(answer.toast, answer.ok ? 'info' : 'bad');
  else if (!answer.ok) toast(say('click.failed'), 'bad');
}

/** @param {import('./session.js').Session} session */
export function mountChat(session) {
  const scroller = byId('messages');
  const newest = byId('newest');
  const news = byId('news');
  /** @type {Map<string, Log>} */
  let logs = new Map();
  /** @type {Log | undefined} */
  let log;
  let scheduled = false;
  let unread = false;
  let height = 0;

  /** Once a frame: follow the newest message, or offer to. */
  const toEnd = () => {
    scheduled = false;
    if (log?.atEnd) scroller.scrollTop = scroller.scrollHeight;
    else if (unread) newest.hidden = false;
    unread = false;
  };
  const keepEnd = () => {
    if (!scheduled) requestAnimationFrame(toEnd);
    scheduled = true;
  };

  const show = () => {
    const conversation = session.conversation(session.opened);
    byId('chat').dataset.conversationId = session.opened;
    if (!conversation) {
      log = undefined;
      scroller.replaceChildren();
      return;
    }
    const drawn = logs.get(conversation.id);
    const next = drawn ?? new Log(session, conversation);
    logs.set(conversation.id, next);
    if (log !== next || !next.element.isConnected) {
      log = next;
      scroller.replaceChildren(next.element);
    }
    next.sync();
    scroller.scrollTop = next.atEnd ? scroller.scrollHeight : next.place;
    newest.hidden = true;
    drawHeader();
    drawEmpty();
  };

  const forget = () => {
    logs = new Map();
    log = undefined;
    show();
  };

  const drawHeader = () => {
    const conversation = session.conversation(session.opened);
    if (!conversation) return;
    const group = conversation.kind === 'group';
    byId('chat-title').textContent = group ? conversation.title : session.robot.name;
    const members = session.people.filter(({ userId }) => conversation.members.includes(userId));
    byId('chat-members').textContent = group ? say('chat.members', { n: members.length + 1 }) : say('kind.direct');
    byId('chat-members').title = [...members.map(nameOf), session.robot.name].join('、');
  };

  const drawEmpty = () => {
    const offline = session.connections === 0;
    byId('offline').hidden = !offline;
    byId('offline-endpoint').textContent = `DINGTALK_OPENAPI_ENDPOINT=${location.origin}`;
    byId('empty').hidden = offline || session.items(session.opened).length > 0;
    const status = byId('bot-status');
    status.dataset.connections = String(session.connections);
    status.classList.toggle('off', offline);
    byId('bot-status-text').textContent = offline ? say('bot.offline') : say('bot.online');
  };

  scroller.addEventListener('scroll', () => {
    // The browser's own scroll after a change of height says nothing about the reader's wish.
    if (!log || scroller.clientHeight !== height) return;
    log.atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_PX;
    log.place = scroller.scrollTop;
    if (log.atEnd) newest.hidden = true;
  }, { passive: true });
  // A picture that arrives, a keyboard that opens, a composer that grows: the newest message stays in sight.
  const resized = new ResizeObserver(() => {
    height = scroller.clientHeight;
    keepEnd();
  });
  resized.observe(scroller);
  scroller.addEventListener('load', keepEnd, { capture: true });
  newest.addEventListener('click', () => {
    scroller.scrollTo({ top: scroller.scrollHeight, behavior: 'smooth' });
    newest.hidden = true;
  });

  session.listen('item', ({ item, isNew }) => {
    if (item.conversationId !== session.opened) {
      logs.get(item.conversationId)?.put(item);
      return;
    }
    const mine = item.sender.userId === session.person?.userId;
    if (isNew && mine && log) log.atEnd = true;
    log?.put(item);
    keepEnd();
    drawEmpty();
    if (!isNew || mine) return;
    news.textContent = `${item.sender.name}: ${summary(item)}`;
    unread = true;
  });
  session.listen('items', ({ restarted }) => {
    for (const id of restarted) logs.delete(id);
    show();
  });
  session.listen('person', forget);
  session.listen('open', show);
  session.listen('connections', drawEmpty);
  return { redraw: forget };
}
