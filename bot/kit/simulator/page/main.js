/**
 * Puts the page together.
 * @module
 */

import { mountChat } from './chat.js';
import { mountComposer } from './composer.js';
import { mountConversations } from './conversations.js';
import { byId } from './dom.js';
import { mountFaults } from './faults.js';
import { icon } from './icons.js';
import { mountPanel } from './panel.js';
import { chatInSight, mountPanes } from './panes.js';
import { mountPeople } from './people.js';
import { recall, remember } from './memory.js';
import { Session } from './session.js';
import { mountTimeline } from './timeline.js';
import { toastError } from './toast.js';
import { mountTables } from './tables.js';
import { mountTodos } from './todos.js';
import { currentLanguage, say, sayStatic, speak } from './words.js';

const RETRY_MS = 2_000;

const wishes = new URLSearchParams(location.search);
speak(wishes.has('lang') ? (wishes.get('lang') === 'en' ? 'en' : 'zh') : currentLanguage());
sayStatic();
for (const node of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-icon]'))) {
  node.prepend(icon(node.dataset.icon ?? ''));
}

const session = new Session();
const panes = mountPanes(() => session.look(chatInSight()));
const chat = mountChat(session);
const composer = mountComposer(session);
const conversations = mountConversations(session, (id) => {
  panes.showChat();
  openConversation(id);
  if (!panes.isPhone()) composer.focus();
});
const people = mountPeople(session);
const timeline = mountTimeline(session);
const faults = mountFaults(session);
const todos = mountTodos(session);
const tables = mountTables(session);
const panel = mountPanel(session);

/** @param {string} id */
function openConversation(id) {
  remember(`opened.${session.person?.userId}`, id);
  session.open(id);
}

/** On a desk something is always open: what this person had open last, else the first conversation. */
function openSomething() {
  if (session.opened || !chatInSight()) return;
  const last = recall(`opened.${session.person?.userId}`, '');
  const found = session.conversations.find(({ id }) => id === last) ?? session.conversations[0];
  if (found) session.open(found.id);
}

function drawLink() {
  const { link } = session;
  const banner = byId('banner');
  banner.hidden = link.phase === 'open';
  banner.dataset.phase = link.phase;
  const seconds = link.phase === 'waiting' ? Math.max(1, Math.ceil((link.until - Date.now()) / 1000)) : 0;
  byId('banner-text').textContent = seconds ? say('link.lost', { n: seconds }) : say('link.trying');
}

byId('banner-retry').addEventListener('click', () => session.retry());
byId('language').addEventListener('click', () => {
  speak(currentLanguage() === 'en' ? 'zh' : 'en');
  sayStatic();
  for (const part of [chat, composer, timeline, faults, panel, todos, tables]) part.redraw();
  for (const part of [people, conversations]) part.draw();
  drawLink();
});
document.addEventListener('visibilitychange', () => session.look(chatInSight()));
window.addEventListener('error', (event) => toastError(event.error ?? event.message));
window.addEventListener('unhandledrejection', (event) => toastError(event.reason));

let ticking = 0;
session.listen('link', () => {
  clearInterval(ticking);
  // A first connection that comes at once needs no banner.
  if (session.link.phase === 'waiting') ticking = window.setInterval(drawLink, 500);
  if (session.link.phase !== 'trying' || !byId('banner').hidden) drawLink();
});
session.listen('ready', () => {
  const link = /** @type {HTMLAnchorElement} */ (byId('home-page'));
  link.hidden = !session.robot.homePage;
  link.href = session.robot.homePage;
});
session.listen('items', openSomething);
session.listen('items', () => {
  byId('app').dataset.started = '';
  byId('app').dataset.ready = session.person?.userId ?? '';
});
session.listen('person', () => { delete byId('app').dataset.ready; });

/** The simulator may still be starting: ask until it answers. */
async function start() {
  try {
    await session.start(wishes.get('person') ?? '');
  } catch (error) {
    byId('app').dataset.started = '';
    toastError(error);
    setTimeout(start, RETRY_MS);
  }
}
void start();
