/**
 * Names and the coloured squares with the last two characters of a name that stand for people without a picture.
 * @module
 */

import { el } from './dom.js';
import { icon } from './icons.js';
import { currentLanguage } from './words.js';

const COLORS = ['#3370d8', '#b5541c', '#2b7f58', '#8a4fc7', '#bd3f6d', '#18788c', '#6b6a1e', '#5560c9', '#a0431f', '#3c7a2c'];

/**
 * @param {{name: string, english?: string}} person
 * @returns {string}
 */
export function nameOf(person) {
  return currentLanguage() === 'en' && person.english ? person.english : person.name;
}

/**
 * The two characters on a square: the last two of a Chinese name, the initials of another.
 * @param {string} name
 */
function initials(name) {
  const words = name.replace(/\(.*?\)/g, '').trim();
  if (/\p{Script=Han}/u.test(words)) return [...words].slice(-2).join('');
  const parts = words.split(/\s+/);
  const letters = parts.length > 1 ? [parts[0], parts[parts.length - 1]].map((part) => part[0]) : [...words].slice(0, 2);
  return letters.join('').toUpperCase();
}

/**
 * @param {{name: string, english?: string, userId: string}} person
 * @param {boolean} [small]
 */
export function face(person, small = false) {
  const square = el('span', { class: `face${small ? ' small' : ''}`, 'aria-hidden': true }, initials(nameOf(person)));
  square.style.backgroundColor = COLORS[hash(person.userId) % COLORS.length];
  return square;
}

/**
 * FNV-1a: ids that differ in one letter get colours far apart.
 * @param {string} text
 */
function hash(text) {
  let value = 0x811c9dc5;
  for (const sign of text) value = Math.imul(value ^ sign.charCodeAt(0), 0x01000193) >>> 0;
  return (value ^ (value >>> 15)) >>> 0;
}

/** @param {boolean} [small] */
export function robotFace(small = false) {
  return el('span', { class: `face robot${small ? ' small' : ''}`, 'aria-hidden': true }, icon('robot'));
}

/**
 * A group's square holds its first members.
 * @param {{name: string, english?: string, userId: string}[]} members
 */
export function groupFace(members) {
  return el('span', { class: 'face group', 'aria-hidden': true }, ...members.slice(0, 4).map((member) => face(member, true)));
}
