/**
 * Draws one interactive card. Knows nothing of the chat around it: give it the card and what a click does.
 * @module
 */

import { linkAddress, pictureAddress } from './addresses.js';
import { el } from './dom.js';
import { drawMarkdown } from './draw.js';
import { drawField, entered } from './fields.js';
import { icon } from './icons.js';

/**
 * @typedef {{text: string, color?: string, id?: string, url?: string, request?: boolean,
 *            disabled?: boolean, params?: Record<string, unknown>}} Button
 * @typedef {{outTrackId?: string, templateId?: string, version?: number, title?: string, markdown?: string,
 *            tips?: string, logo?: string, buttons?: Button[], fields?: import('./fields.js').Field[],
 *            privateToViewer?: boolean}} Card
 * @typedef {{privateMark: string, working: string, newTab: string}} Labels
 */

/** @type {Labels} */
const CHINESE = { privateMark: '仅你可见', working: '处理中', newTab: '在新标签页打开' };

/** The picture of the SDK's own cards, for which only DingTalk itself has a file. */
const SDK_PICTURE = '@lALPDfJ6V_FPDmvNAfTNAfQ';

/** A card's element, which can be brought up to date without being drawn anew. */
export class CardView {
  /** @type {Card} */ #card = {};
  #press;
  #labels;
  #findPicture;
  #logo = el('span', { class: 'card-logo', 'aria-hidden': true });
  #title = el('span', { class: 'card-title', data: { testid: 'card-title' } });
  #mark = el('span', { class: 'card-mark', hidden: true, data: { testid: 'card-private' } });
  #body = el('div', { class: 'card-body markdown', data: { testid: 'card-body' } });
  #tips = el('p', { class: 'card-tips', data: { testid: 'card-tips' } });
  #fields = el('div', { class: 'card-fields' });
  #buttons = el('div', { class: 'card-buttons' });

  /**
   * @param {Card} card
   * @param {{press?: (button: Button, fields: Record<string, string>) => Promise<void>, labels?: Labels,
   *   findPicture?: import('./draw.js').FindPicture}} [options] `press` is called for a click on a
   *   callback button, with what stands in the card's fields; the button turns its wheel until the promise settles
   */
  constructor(card, { press = async () => {}, labels = CHINESE, findPicture = pictureAddress } = {}) {
    this.#press = press;
    this.#findPicture = findPicture;
    this.#labels = labels;
    this.#mark.append(icon('eye'), labels.privateMark);
    this.element = el('article', { class: 'card', data: { testid: 'card' } },
      el('header', { class: 'card-head' }, this.#logo, this.#title, this.#mark),
      this.#body, this.#tips, this.#fields, this.#buttons);
    this.update(card);
  }

  /**
   * Show a newer state; only what differs is touched, so that nothing flickers and a turning wheel keeps turning.
   * @param {Card} card
   */
  update(card) {
    const before = this.#card;
    const first = before.version === undefined && !this.#title.firstChild;
    this.#card = card;
    this.element.dataset.trackId = card.outTrackId ?? '';
    this.element.dataset.version = String(card.version ?? 0);
    this.element.dataset.private = String(Boolean(card.privateToViewer));
    this.#mark.hidden = !card.privateToViewer;
    if (first || before.title !== card.title) {
      this.#title.textContent = card.title ?? '';
      this.element.setAttribute('aria-label', card.title ?? '');
    }
    if (first || before.logo !== card.logo) this.#logo.replaceChildren(this.#drawLogo(card.logo ?? ''));
    if (first || before.markdown !== card.markdown) this.#body.replaceChildren(drawMarkdown(card.markdown ?? '', this.#findPicture));
    if (first || before.tips !== card.tips) this.#tips.textContent = card.tips ?? '';
    this.#tips.hidden = !card.tips;
    if (first || JSON.stringify(before.fields) !== JSON.stringify(card.fields)) this.#drawFields(card.fields ?? []);
    if (first || JSON.stringify(before.buttons) !== JSON.stringify(card.buttons)) this.#drawButtons(card.buttons ?? []);
  }

  /** @param {string} logo */
  #drawLogo(logo) {
    return drawLogo(logo === SDK_PICTURE ? '' : this.#findPicture(logo));
  }

  /** @param {import('./fields.js').Field[]} fields */
  #drawFields(fields) {
    this.#fields.hidden = fields.length === 0;
    this.#fields.replaceChildren(...fields.map(drawField));
  }

  /** @param {Button[]} buttons */
  #drawButtons(buttons) {
    const perRow = buttonsPerRow(buttons);
    this.#buttons.hidden = buttons.length === 0;
    this.#buttons.style.setProperty('--per-row', String(perRow));
    this.#buttons.replaceChildren(...buttons.map((button) => this.#drawButton(button)));
  }

  /** @param {Button} button */
  #drawButton(button) {
    const color = ['blue', 'gray', 'red'].includes(button.color ?? '') ? button.color : 'gray';
    const data = { testid: 'card-button', buttonId: button.id || button.text, color: color ?? 'gray' };
    const href = linkAddress(button.url ?? '');
    if (href) {
      return el('a', { class: `card-button ${color}`, href, target: '_blank', rel: 'noopener noreferrer', data,
        title: this.#labels.newTab }, el('span', {}, button.text), icon('link'));
    }
    const node = /** @type {HTMLButtonElement} */ (
      el('button', { class: `card-button ${color}`, type: 'button', disabled: button.disabled, data }, el('span', {}, button.text)));
    node.addEventListener('click', () => this.#pressed(button, node));
    return node;
  }

  /**
   * @param {Button} button
   * @param {HTMLButtonElement} node
   */
  async #pressed(button, node) {
    if (node.ariaBusy === 'true') return;
    node.ariaBusy = 'true';
    node.append(el('span', { class: 'wheel', role: 'status', 'aria-label': this.#labels.working }));
    try {
      await this.#press(button, entered(this.#fields));
    } finally {
      node.ariaBusy = 'false';
      node.querySelector('.wheel')?.remove();
    }
  }
}

/**
 * How many buttons stand side by side: up to three short labels or two longer ones; four make two rows of two.
 * @param {Button[]} buttons
 */
function buttonsPerRow(buttons) {
  const widest = Math.max(0, ...buttons.map((button) => textWidth(button.text) + (button.url ? 2 : 0)));
  const most = widest <= 10 ? 3 : widest <= 18 ? 2 : 1;
  return buttons.length === 4 ? Math.min(most, 2) : Math.max(1, Math.min(most, buttons.length));
}

/** @param {string} text width in half-width characters */
function textWidth(text) {
  return [...text].reduce((width, sign) => width + (/[\u1100-\u115f\u2e80-\uffe6]|\p{Emoji_Presentation}/u.test(sign) ? 2 : 1), 0);
}

/** @param {string} source address, "" for none */
function drawLogo(source) {
  if (!source) return icon('robot');
  const image = el('img', { src: source, alt: '', referrerpolicy: 'no-referrer' });
  image.addEventListener('error', () => image.replaceWith(icon('robot')), { once: true });
  return image;
}
