/**
 * What can follow the characters just typed: commands after `/`, people after `@`.
 * @module
 */

import { nameOf } from './faces.js';
import { recall, remember } from './memory.js';
import { currentLanguage, say } from './words.js';

/** Offered where nobody said which commands the bot has. */
const COMMON = ['stock', 'order', 'invoice', 'po', 'mo', 'help', 'whoami'];
const MOST_LEARNED = 20;

/** @typedef {{name: string, label: Record<import('./words.js').Language, string>}} Command */
/** @typedef {{insert: string, title: string, note: string, userId?: string}} Choice */

/**
 * Remember a command that is not in the list, such as one of a plug-in.
 * @param {string} line what was sent
 * @param {Command[]} offered the bot's commands, as far as they are known
 */
export function learn(line, offered) {
  const name = /^\/([^\s/]{1,30})/.exec(line)?.[1];
  if (!name || namesOf(offered).includes(name.toLowerCase())) return;
  const learned = recall('commands', []).filter((/** @type {string} */ one) => one !== name);
  remember('commands', [name, ...learned].slice(0, MOST_LEARNED));
}

/**
 * Choices for a line that is just a beginning of a command.
 * @param {string} line
 * @param {Command[]} offered the bot's commands, as far as they are known
 * @returns {Choice[]}
 */
export function commandsFor(line, offered) {
  const match = /^\/(\S*)$/.exec(line);
  if (!match) return [];
  const begun = match[1].toLowerCase();
  /** @type {string[]} */
  const learned = recall('commands', []);
  return [
    ...namesOf(offered).map((name) => ({ insert: `/${name} `, title: `/${name}`, note: noteOf(name, offered) })),
    ...learned.filter((name) => !namesOf(offered).includes(name.toLowerCase())).map((name) => ({ insert: `/${name} `, title: `/${name}`, note: say('command.learned') })),
  ].filter(({ title }) => title.slice(1).toLowerCase().startsWith(begun));
}

/** @param {Command[]} offered */
function namesOf(offered) {
  return offered.length ? offered.map(({ name }) => name) : COMMON;
}

/**
 * @param {string} name
 * @param {Command[]} offered
 */
function noteOf(name, offered) {
  return offered.find((command) => command.name === name)?.label[currentLanguage()] ?? say(`command.${name}`);
}

/**
 * Choices for an `@` that was just begun at the caret.
 * @param {string} before the text before the caret
 * @param {import('./session.js').Person[]} members
 * @returns {{begun: string, choices: Choice[]}} `begun` is the part of the text that a choice replaces
 */
export function peopleFor(before, members) {
  const match = /(?:^|\s)(@[^\s@]{0,20})$/.exec(before);
  if (!match) return { begun: '', choices: [] };
  const name = match[1].slice(1).toLowerCase();
  const choices = members
    .filter((person) => [person.name, person.english].some((one) => one.toLowerCase().includes(name)))
    .map((person) => ({ insert: `@${person.name} `, title: nameOf(person), note: person.title, userId: person.userId }));
  return { begun: match[1], choices };
}
