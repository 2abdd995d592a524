/**
 * The inside of one line of DingTalk's card markdown: emphasis, links, pictures, `<font>`, `<a atId>`, emoji names.
 * @module
 */

import { linkAddress } from './addresses.js';
import { EMOJI } from './emoji.js';

/**
 * @typedef {{type: 'text', text: string} | {type: 'code', text: string} | {type: 'break'}
 *   | {type: 'strong' | 'emphasis', children: Inline[]}
 *   | {type: 'link', href: string, children: Inline[]}
 *   | {type: 'image', source: string, alternative: string}
 *   | {type: 'font', color: string, size: string, children: Inline[]}
 *   | {type: 'at', id: string, children: Inline[]}
 *   | {type: 'emoji', name: string, sign: string}} Inline
 */

const MAX_OPEN = 40;
const COLOR_TOKENS = new Set([
  ...['yellow1', 'orange1', 'red1', 'pink1', 'purple1', 'blue1', 'water1', 'olive1', 'green1', 'gray1', 'gray2',
    'gray3', 'gray4', 'gray5', 'gray6'].map((name) => `common_${name}_color`),
  ...[1, 2, 3, 4].map((level) => `common_level${level}_base_color`),
]);
const SIZE_TOKENS = new Set(
  ['hypertitle', 'largetitle', 'h1', 'h2', 'h3', 'h4', 'h5', 'body', 'footnote']
    .map((name) => `common_${name}_text_style__font_size`),
);

const CODE = /`([^`\n]{1,4000})`/y;
const IMAGE = /!\[([^\]\n]{0,400})\]\(((?:[^()\s]|\([^()\s]*\)){1,2000})\)/y;
const LINK = /\[([^[\]\n]{1,400})\]\(((?:[^()\s]|\([^()\s]*\)){1,2000})\)/y;
const SIGN = /\[([^[\]\s]{1,8})\]/y;
const BREAK = /<br\s*\/?>/iy;
const FONT = /<font((?:\s+\w+=[^\s<>]+)+)\s*>/iy;
const AT = /<a\s+atId=([^\s<>]+)\s*>/iy;
const CLOSE = /<\/(font|a)\s*>/iy;
const MARK = /\*\*|__|\*|_/y;
const PLAIN = /[^`![<*_]+/y;

/**
 * One element that is still open; `source` is what it is when nothing closes it: text.
 * @typedef {{kind: string, source: string, children: Inline[], finish: (children: Inline[]) => Inline}} Open
 */

/**
 * Read the text of one line or cell, in one pass.
 * @param {string} text
 * @returns {Inline[]}
 */
export function inline(text) {
  /** @type {Open[]} */
  const stack = [{ kind: 'root', source: '', children: [], finish: () => ({ type: 'break' }) }];
  const top = () => stack[stack.length - 1];
  let at = 0;

  /** @param {RegExp} pattern */
  const take = (pattern) => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) at = pattern.lastIndex;
    return match;
  };
  /** @param {string} kind */
  const isOpen = (kind) => stack.some((open) => open.kind === kind);
  const mayNest = () => stack.length < MAX_OPEN;
  const abandon = () => {
    const open = /** @type {Open} */ (stack.pop());
    addText(top().children, open.source);
    open.children.forEach((child) => add(top().children, child));
  };
  /** @param {string} kind */
  const close = (kind) => {
    while (top().kind !== kind) abandon();
    const open = /** @type {Open} */ (stack.pop());
    top().children.push(open.finish(open.children));
  };

  while (at < text.length) {
    const start = at;
    let match;
    if ((match = take(PLAIN))) addText(top().children, match[0]);
    else if ((match = take(CODE))) top().children.push({ type: 'code', text: match[1] });
    else if ((match = take(IMAGE))) top().children.push(image(match[1], match[2]));
    else if ((match = take(LINK))) top().children.push(link(match[1], match[2], match[0]));
    else if ((match = take(SIGN))) addSign(top().children, match[1], match[0]);
    else if (take(BREAK)) top().children.push({ type: 'break' });
    else if (mayNest() && (match = take(FONT))) stack.push(font(match[1], match[0]));
    else if (mayNest() && (match = take(AT))) stack.push(mention(match[1], match[0]));
    else if ((match = take(CLOSE))) {
      if (isOpen(match[1].toLowerCase())) close(match[1].toLowerCase());
      else addText(top().children, match[0]);
    } else if ((match = take(MARK))) {
      let mark = match[0];
      if (mark.length === 2 && top().kind === mark[0] && text[at] === mark[0]) {
        // Of three marks in a row the inner, single one closes first.
        mark = mark[0];
        at -= 1;
      }
      const before = text[start - 1] ?? ' ';
      const after = text[at] ?? ' ';
      const mayClose = !/\s/.test(before) && !(mark[0] === '_' && /\w/.test(after));
      const mayOpen = !/\s/.test(after) && !(mark[0] === '_' && /\w/.test(before)) && mayNest();
      if (mayClose && isOpen(mark)) close(mark);
      else if (mayOpen) stack.push(emphasis(mark));
      else addText(top().children, mark);
    } else {
      addText(top().children, text[at]);
      at += 1;
    }
  }
  while (stack.length > 1) abandon();
  return stack[0].children;
}

/**
 * @param {Inline[]} children
 * @param {Inline} child
 */
function add(children, child) {
  if (child.type === 'text') addText(children, child.text);
  else children.push(child);
}

/**
 * @param {Inline[]} children
 * @param {string} text
 */
function addText(children, text) {
  const last = children[children.length - 1];
  if (last?.type === 'text') last.text += text;
  else children.push({ type: 'text', text });
}

/**
 * @param {Inline[]} children
 * @param {string} name
 * @param {string} source
 */
function addSign(children, name, source) {
  const sign = EMOJI.get(name);
  if (sign) children.push({ type: 'emoji', name, sign });
  else addText(children, source);
}

/**
 * @param {string} mark
 * @returns {Open}
 */
function emphasis(mark) {
  const type = mark.length === 2 ? 'strong' : 'emphasis';
  return { kind: mark, source: mark, children: [], finish: (children) => ({ type, children }) };
}

/**
 * @param {string} attributes
 * @param {string} source
 * @returns {Open}
 */
function font(attributes, source) {
  let color = '';
  let size = '';
  for (const [, name, value] of attributes.matchAll(/(\w+)=([^\s<>]+)/g)) {
    if (/^color(TokenV2|Token)?$/i.test(name)) color = colorOf(value) || color;
    if (/^size(Token)?$/i.test(name)) size = sizeOf(value) || size;
  }
  return { kind: 'font', source, children: [], finish: (children) => ({ type: 'font', color, size, children }) };
}

/** @param {string} value */
function colorOf(value) {
  if (COLOR_TOKENS.has(value)) return `var(--${value})`;
  return /^#([\da-f]{3}|[\da-f]{6})$/i.test(value) ? value : '';
}

/** @param {string} value */
function sizeOf(value) {
  if (SIZE_TOKENS.has(value)) return `var(--${value})`;
  return /^\d{1,2}$/.test(value) ? `${Math.min(64, Math.max(8, Number(value)))}px` : '';
}

/**
 * @param {string} id
 * @param {string} source
 * @returns {Open}
 */
function mention(id, source) {
  return { kind: 'a', source, children: [], finish: (children) => ({ type: 'at', id, children }) };
}

/**
 * @param {string} alternative
 * @param {string} address
 * @returns {Inline}
 */
function image(alternative, address) {
  return { type: 'image', source: address, alternative };
}

/**
 * @param {string} label
 * @param {string} address
 * @param {string} source
 * @returns {Inline}
 */
function link(label, address, source) {
  const href = linkAddress(address);
  return href ? { type: 'link', href, children: inline(label) } : { type: 'text', text: source };
}
