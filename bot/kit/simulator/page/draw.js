/**
 * Turns the tree of `markdown.js` into elements, node by node.
 * @module
 */

import { pictureAddress } from './addresses.js';
import { el } from './dom.js';
import { parse } from './markdown.js';

/** @typedef {(source: string) => string} FindPicture where a picture or media id is to be had; "" for nowhere */

/**
 * Markdown as elements, ready to append.
 * @param {string} text
 * @param {FindPicture} [findPicture]
 * @returns {DocumentFragment}
 */
export function drawMarkdown(text, findPicture = pictureAddress) {
  const fragment = document.createDocumentFragment();
  fragment.append(...new Pen(findPicture).blocks(parse(text)));
  return fragment;
}

/** Draws the nodes of one tree. */
class Pen {
  #findPicture;

  /** @param {FindPicture} findPicture */
  constructor(findPicture) {
    this.#findPicture = findPicture;
  }

  /**
   * @param {import('./markdown.js').Block[]} blocks
   * @returns {Node[]}
   */
  blocks(blocks) {
    return blocks.map((block) => this.#block(block));
  }

  /**
   * @param {import('./markdown.js').Block} block
   * @returns {Node}
   */
  #block(block) {
    switch (block.type) {
      case 'heading': return el('p', { class: `md-h md-h${block.level}`, role: 'heading', 'aria-level': block.level },
        ...this.#inlines(block.children));
      case 'paragraph': return el('p', {}, ...this.#inlines(block.children));
      case 'rule': return el('hr');
      case 'fence': return el('pre', {}, el('code', {}, block.text));
      case 'quote': return el('blockquote', {}, ...this.blocks(block.children));
      case 'list': return el(block.ordered ? 'ol' : 'ul', {}, ...block.items.map((item) => this.#item(item)));
      case 'table': return this.#table(block);
    }
  }

  /**
   * @param {import('./markdown.js').Item} item
   * @returns {Node}
   */
  #item(item) {
    return el('li', {}, ...this.#inlines(item.children), item.sublist && this.#block(item.sublist));
  }

  /** @param {Extract<import('./markdown.js').Block, {type: 'table'}>} table */
  #table({ align, head, rows }) {
    /**
     * @param {string} tag
     * @param {import('./inline.js').Inline[][]} row
     */
    const line = (tag, row) => el('tr', {},
      ...row.map((cell, column) => el(tag, { class: `md-${align[column] ?? 'left'}` }, ...this.#inlines(cell))));
    return el('div', { class: 'md-table', tabindex: 0 },
      el('table', {}, el('thead', {}, line('th', head)), el('tbody', {}, ...rows.map((row) => line('td', row)))));
  }

  /**
   * @param {import('./inline.js').Inline[]} inlines
   * @returns {Node[]}
   */
  #inlines(inlines) {
    return inlines.map((inline) => this.#inline(inline));
  }

  /**
   * @param {import('./inline.js').Inline} node
   * @returns {Node}
   */
  #inline(node) {
    switch (node.type) {
      case 'text': return document.createTextNode(node.text);
      case 'code': return el('code', {}, node.text);
      case 'break': return el('br');
      case 'strong': return el('strong', {}, ...this.#inlines(node.children));
      case 'emphasis': return el('em', {}, ...this.#inlines(node.children));
      case 'link': return drawLink(node.href, this.#inlines(node.children));
      case 'image': return drawImage(this.#findPicture(node.source), node.alternative);
      case 'font': return this.#font(node);
      case 'at': return el('span', { class: 'md-at', data: { atId: node.id } }, ...this.#inlines(node.children));
      case 'emoji': return el('span', { class: 'md-emoji', role: 'img', 'aria-label': node.name }, node.sign);
    }
  }

  /** @param {Extract<import('./inline.js').Inline, {type: 'font'}>} node */
  #font({ color, size, children }) {
    const span = el('span', {}, ...this.#inlines(children));
    if (color) span.style.color = color;
    if (size) span.style.fontSize = size;
    return span;
  }
}

/**
 * A link that opens beside the chat and tells the other side nothing about it.
 * @param {string} href an address that `addresses.linkAddress` let through
 * @param {(Node | string)[]} children
 */
export function drawLink(href, children) {
  return el('a', { href, target: '_blank', rel: 'noopener noreferrer' }, ...children);
}

/**
 * @param {string} address
 * @param {string} alternative
 */
function drawImage(address, alternative) {
  const stand = () => el('span', { class: 'md-noimage' }, alternative || '🖼');
  if (!address) return stand();
  const image = el('img', { src: address, alt: alternative, loading: 'lazy', referrerpolicy: 'no-referrer' });
  image.addEventListener('error', () => image.replaceWith(stand()), { once: true });
  return image;
}
