/**
 * Short notices that come and go by themselves.
 * @module
 */

import { ApiError } from './api.js';
import { byId, el } from './dom.js';
import { say } from './words.js';

const SHOWN_MS = 4_000;
const MOST = 3;

/**
 * @param {string} text
 * @param {'info' | 'good' | 'bad'} [tone]
 */
export function toast(text, tone = 'info') {
  const stack = byId('toasts');
  const note = el('div', { class: `toast ${tone}`, data: { testid: 'toast' } }, text);
  note.addEventListener('click', () => note.remove());
  stack.append(note);
  while (stack.children.length > MOST) stack.firstChild.remove();
  setTimeout(() => note.remove(), SHOWN_MS);
}

/**
 * What went wrong, in plain words.
 * @param {unknown} error
 */
export function toastError(error) {
  if (error instanceof ApiError) toast(say(`error.${error.kind}`, { detail: error.detail }), 'bad');
  else toast(say('error.page', { detail: String(error) }), 'bad');
}

/**
 * Run something and say so when it fails.
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T | undefined>} undefined after a failure
 */
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    toastError(error);
    return undefined;
  }
}
