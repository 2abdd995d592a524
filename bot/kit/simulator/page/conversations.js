/**
 * The list of conversations with their last message and unread count.
 * @module
 */

import { listTime } from './dates.js';
import { byId, el } from './dom.js';
import { groupFace, nameOf, robotFace } from './faces.js';
import { moveFocus } from './people.js';
import { say } from './words.js';

const MOST_UNREAD = 99;

/**
 * @param {import('./session.js').Session} session
 * @param {(id: string) => void} onOpen the user chose a conversation
 */
export function mountConversations(session, onOpen) {
  const list = byId('conversations');
  let scheduled = false;

  const draw = () => {
    scheduled = false;
    const focused = /** @type {HTMLElement | null} */ (list.contains(document.activeElement) ? document.activeElement : null);
    const rows = session.conversations.map(row);
    list.replaceChildren(...(rows.length ? rows : [el('p', { class: 'quiet' }, say('conversations.empty'))]));
    if (focused) {
      list.querySelector(`[data-conversation-id="${CSS.escape(focused.dataset.conversationId ?? '')}"]`)?.focus();
    }
  };
  /** Many messages in a row redraw the list once. */
  const schedule = () => {
    if (!scheduled) requestAnimationFrame(draw);
    scheduled = true;
  };

  /** @param {import('./session.js').Conversation} conversation */
  const row = (conversation) => {
    const { id, kind, title } = conversation;
    const last = session.items(id).at(-1);
    const unread = session.unread(id);
    const opened = id === session.opened;
    const shown = kind === 'direct' ? session.robot.name || title : title;
    return el('button', {
      class: 'conversation', type: 'button', 'aria-current': opened || null,
      data: { testid: 'conversation', conversationId: id, kind, unread: String(unread) },
      on: { click: () => onOpen(id) },
    }, kind === 'direct' ? robotFace() : groupFace(membersOf(session, conversation)),
    el('span', { class: 'conversation-text' },
      el('span', { class: 'conversation-line' }, el('span', { class: 'conversation-title' }, shown),
        last && el('time', { class: 'conversation-time' }, listTime(last.at))),
      el('span', { class: 'conversation-line' },
        el('span', { class: 'conversation-last' }, last ? preview(session, conversation, last) : say('conversations.none')),
        unread > 0 && el('span', { class: 'unread', 'aria-label': say('conversations.unread', { n: unread }) },
          unread > MOST_UNREAD ? `${MOST_UNREAD}+` : String(unread)))));
  };

  list.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => moveFocus(list, event));
  for (const topic of /** @type {const} */ (['person', 'items', 'item', 'unread', 'open'])) session.listen(topic, schedule);
  return { draw: schedule };
}

/**
 * @param {import('./session.js').Session} session
 * @param {import('./session.js').Conversation} conversation
 */
function membersOf(session, { members }) {
  return session.people.filter(({ userId }) => members.includes(userId));
}

/**
 * The last message in one line.
 * @param {import('./session.js').Session} session
 * @param {import('./session.js').Conversation} conversation
 * @param {import('./session.js').Item} item
 */
function preview(session, { kind }, item) {
  const person = session.people.find(({ userId }) => userId === item.sender.userId);
  const mine = item.sender.userId === session.person?.userId;
  const who = kind === 'group' && !mine ? `${person ? nameOf(person) : item.sender.name}: ` : '';
  return who + summary(item);
}

/**
 * What an item is, in a few words.
 * @param {import('./session.js').Item} item
 */
export function summary(item) {
  if (item.recalled) return say('chat.recalled');
  if (item.kind === 'card') return say('conversations.card', { title: item.preview || item.card?.title || '' });
  if (item.fileName && !item.pictureUrl) return say('conversations.file', { name: item.fileName });
  if (item.pictureUrl && !item.text) return say('conversations.picture');
  return item.title || item.text || '';
}
