/**
 * Times as a chat shows them, in the reader's own time zone.
 * @module
 */

import { currentLanguage, say } from './words.js';

const DAY_MS = 86_400_000;

/**
 * `14:05` today, `昨天 14:05`, else with the date.
 * @param {number} at milliseconds since 1970
 * @param {number} [now]
 */
export function chatTime(at, now = Date.now()) {
  const day = daysAgo(at, now);
  if (day <= 0) return clock(at);
  if (day === 1) return `${say('chat.yesterday')} ${clock(at)}`;
  return `${date(at, now)} ${clock(at)}`;
}

/**
 * The short form of the conversation list: the time today, else only the day.
 * @param {number} at
 * @param {number} [now]
 */
export function listTime(at, now = Date.now()) {
  const day = daysAgo(at, now);
  if (day <= 0) return clock(at);
  return day === 1 ? say('chat.yesterday') : date(at, now);
}

/** @param {number} at */
export function exactTime(at) {
  const time = new Date(at);
  return `${clock(at)}:${two(time.getSeconds())}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}

/**
 * @param {number} at
 * @param {number} now
 */
function daysAgo(at, now) {
  return Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / DAY_MS);
}

/** @param {number} at */
function clock(at) {
  const time = new Date(at);
  return `${two(time.getHours())}:${two(time.getMinutes())}`;
}

/**
 * @param {number} at
 * @param {number} now
 */
function date(at, now) {
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return new Intl.DateTimeFormat(currentLanguage() === 'en' ? 'en-GB' : 'zh-CN',
    { month: 'short', day: 'numeric', ...(sameYear ? {} : { year: 'numeric' }) }).format(at);
}

/** @param {number} number */
function two(number) {
  return String(number).padStart(2, '0');
}
