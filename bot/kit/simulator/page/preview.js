/**
 * Draws the one card of `preview.html`.
 *
 * The card is JSON, either as the control API shows it (`{title, markdown, tips, buttons …}`) or as a bot sends it
 * (`cardParamMap`: strings, the buttons inside `sys_full_json_obj`). It comes from `<script id="card">`, else from
 * `?card=`. `?theme=dark` and `?lang=en` do what they say. When the card is drawn, `<html>` carries `data-height`:
 * the height in CSS pixels of a picture that holds it all.
 * @module
 */

import { CardView } from './card.js';
import { byId, el } from './dom.js';

const LABELS = { privateMark: 'Only you see this', working: 'Working', newTab: 'Opens in a new tab' };

/**
 * @param {Record<string, any>} data
 * @returns {import('./card.js').Card}
 */
function cardOf(data) {
  const params = data.cardParamMap ?? data;
  if (typeof params.sys_full_json_obj !== 'string') return params;
  const { msgButtons = [] } = JSON.parse(params.sys_full_json_obj || '{}');
  return { ...params, buttons: msgButtons };
}

async function drawPreview() {
  const wishes = new URLSearchParams(location.search);
  const root = document.documentElement;
  if (wishes.has('theme')) root.dataset.theme = wishes.get('theme') ?? '';
  if (wishes.get('lang') === 'en') root.lang = 'en';
  const frame = byId('preview');
  try {
    const given = byId('card').textContent.trim();
    const card = cardOf(JSON.parse(given || wishes.get('card') || '{}'));
    frame.append(new CardView(card, wishes.get('lang') === 'en' ? { labels: LABELS } : {}).element);
  } catch (error) {
    frame.append(el('p', { class: 'preview-error' }, String(error)));
  }
  await Promise.all([...document.images].map((image) => image.decode().catch(() => undefined)));
  root.dataset.height = String(Math.ceil(frame.getBoundingClientRect().height));
}

void drawPreview();
