/**
 * Draws the messages of a chat, one list entry each.
 * @module
 */

import { linkAddress, pictureAddress } from './addresses.js';
import { CardView } from './card.js';
import { chatTime } from './dates.js';
import { el } from './dom.js';
import { drawLink, drawMarkdown } from './draw.js';
import { face, nameOf, robotFace } from './faces.js';
import { icon } from './icons.js';
import { say } from './words.js';

const ADDRESS = /https?:\/\/[^\s<>"'，。；！？、（）]+/g;

/**
 * @typedef {import('./session.js').Item} Item
 * @typedef {import('./session.js').Person} Person
 * @typedef {{viewer: string, group: boolean, robotName: string, people: Person[],
 *            press: (item: Item, button: import('./card.js').Button, fields: Record<string, string>) => Promise<void>}} Scene
 * @typedef {{element: HTMLElement, update: (item: Item) => void}} Entry
 */

/**
 * @param {Item} item
 * @param {Scene} scene
 * @returns {Entry}
 */
export function drawEntry(item, scene) {
  const mine = item.sender.userId === scene.viewer && !item.fromBot;
  const person = scene.people.find(({ userId }) => userId === item.sender.userId);
  const name = person ? nameOf(person) : item.sender.name;
  const { content, change } = item.kind === 'card' ? drawCard(item, scene) : { content: drawMessage(item, scene), change: nothing };
  const element = el('li', {
    class: `entry ${mine ? 'own' : 'other'} is-${item.kind}`,
    data: { testid: item.kind === 'card' ? 'card-entry' : 'message', seq: String(item.seq), fromBot: String(item.fromBot) },
  }, item.fromBot ? robotFace() : face(person ?? { name, userId: item.sender.userId }),
  el('div', { class: 'entry-main' },
    el('span', { class: `entry-name${mine || !scene.group ? ' for-readers' : ''}` }, name,
      person?.external && el('span', { class: 'badge warn' }, say('people.external'))),
    content,
    el('time', { class: 'entry-time', datetime: new Date(item.at).toISOString() }, chatTime(item.at))));
  /** @param {Item} next */
  const update = (next) => {
    if (!next.recalled) change(next);
    else element.replaceChildren(el('p', { class: 'recalled' }, `${name}: ${say('chat.recalled')}`));
  };
  if (item.recalled) update(item);
  return { element, update };
}

function nothing() {}

/**
 * @param {Item} item
 * @param {Scene} scene
 */
function drawCard(item, scene) {
  let current = item;
  const view = new CardView(item.card ?? {}, {
    press: (button, fields) => scene.press(current, button, fields),
    findPicture,
    labels: { privateMark: say('card.private'), working: say('card.working'), newTab: say('card.newTab') },
  });
  return { content: view.element, change: (/** @type {Item} */ next) => { current = next; view.update(next.card ?? {}); } };
}

/**
 * @param {Item} item
 * @param {Scene} scene
 * @returns {HTMLElement}
 */
function drawMessage(item, scene) {
  switch (item.msgtype) {
    case 'markdown': return el('div', { class: 'bubble markdown' }, drawMarkdown(item.text ?? '', findPicture));
    case 'actionCard': return new CardView({ title: item.title, markdown: item.text, buttons: item.buttons ?? [] },
      { findPicture }).element;
    case 'link': return drawLinkMessage(item);
    default:
      if (item.pictureUrl) return drawPicture(item);
      if (item.fileName) return drawFile(item);
      return el('div', { class: 'bubble' }, ...drawText(item.text ?? '', scene));
  }
}

/**
 * Media ids of this simulator's own store are pictures too.
 * @param {string} source
 */
function findPicture(source) {
  return source.startsWith('@') ? `/sim/media?id=${encodeURIComponent(source)}` : pictureAddress(source);
}

/** @param {Item} item */
function drawFile({ fileName = '', url = '' }) {
  const inner = [icon('file'), fileName];
  const own = url.startsWith('/sim/media?');
  return el('div', { class: 'bubble file' }, ...(own ? [el('a', { href: url, download: fileName }, ...inner)] : inner));
}

/** @param {Item} item */
function drawPicture({ pictureUrl = '', fileName }) {
  const picture = el('img', { src: pictureUrl, alt: fileName || say('chat.picture'), loading: 'lazy' });
  return el('a', { class: 'picture', href: pictureUrl, target: '_blank', rel: 'noopener', data: { testid: 'picture' } }, picture);
}

/** @param {Item} item */
function drawLinkMessage({ title = '', text = '', url = '' }) {
  const inner = [el('strong', {}, title), el('span', {}, text)];
  const href = linkAddress(url);
  return el('div', { class: 'bubble link-message' }, ...(href ? [drawLink(href, inner)] : inner));
}

/**
 * Plain text with its mentions coloured and its web addresses clickable.
 * @param {string} text
 * @param {Scene} scene
 * @returns {(Node | string)[]}
 */
function drawText(text, { robotName, people }) {
  /** @type {(Node | string)[]} */
  const parts = [];
  let done = 0;
  const names = [robotName, ...people.map(({ name }) => name)];
  for (const match of text.matchAll(ADDRESS)) {
    parts.push(...drawMentions(text.slice(done, match.index), names));
    parts.push(drawLink(match[0], [match[0]]));
    done = match.index + match[0].length;
  }
  parts.push(...drawMentions(text.slice(done), names));
  return parts;
}

/**
 * @param {string} text
 * @param {string[]} names
 * @returns {(Node | string)[]}
 */
function drawMentions(text, names) {
  const pattern = new RegExp(`(@(?:${names.filter(Boolean).map(escapePattern).join('|')}))`);
  // Splitting by a group puts what it matched at the odd places.
  return text.split(pattern).map((part, index) => (index % 2 ? el('span', { class: 'mention' }, part) : part));
}

/** @param {string} name */
function escapePattern(name) {
  return name.replace(/[\\^$.*+?()[\]{}|-]/g, '\\$&');
}
