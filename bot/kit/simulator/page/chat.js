/**
 * The open conversation: header, messages, the note that no bot is there.
 * @module
 */

import { summary } from './conversations.js';
import { byId } from './dom.js';
import { nameOf } from './faces.js';
import { Log } from './log.js';
import { say } from './words.js';

/** Nearer to the end than this counts as reading the newest. */
const NEAR_PX = 80;

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
    const near = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_PX;
    // Only going up is leaving the end: while we follow, more may have come below since we scrolled.
    log.atEnd = near || (log.atEnd && scroller.scrollTop >= log.place);
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
