/**
 * DingTalk's card markdown, read into a tree of plain objects (`draw.js` turns the tree into elements).
 *
 * Only the documented subset has a meaning; everything else stays text, as typed. Where DingTalk's clients differ, the
 * strictest reading wins, so that a card that looks right here looks right everywhere: a single line break is a blank,
 * a table needs an empty line before it, attribute values stand without quotes, a backslash is a backslash.
 * @module
 */

import { inline } from './inline.js';

/**
 * @typedef {import('./inline.js').Inline} Inline
 * @typedef {'left' | 'center' | 'right'} Alignment
 * @typedef {{type: 'heading', level: number, children: Inline[]} | {type: 'paragraph', children: Inline[]}
 *   | {type: 'rule'} | {type: 'fence', text: string}
 *   | {type: 'quote', children: Block[]}
 *   | {type: 'list', ordered: boolean, items: Item[]}
 *   | {type: 'table', align: Alignment[], head: Inline[][], rows: Inline[][][]}} Block
 * @typedef {{children: Inline[], sublist: Block | null}} Item
 */

const MAX_LENGTH = 60_000;
const MAX_DEPTH = 8;

const FENCE = /^\s{0,3}```/;
const RULE = /^\s{0,3}(\*\s*\*\s*\*[*\s]*|-\s*-\s*-[-\s]*|_\s*_\s*_[_\s]*)$/;
const HEADING = /^(#{1,6})\s+(.*?)\s*#*\s*$/;
const QUOTE = /^\s{0,3}>\s?/;
const BULLET = /^(\s*)[*+-]\s+(.*)$/;
const NUMBER = /^(\s{0,3})\d{1,9}[.)]\s+(.*)$/;
const DIVIDER = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

/**
 * Read markdown.
 * @param {string} text
 * @returns {Block[]}
 */
export function parse(text) {
  const lines = String(text).slice(0, MAX_LENGTH).replace(/\r\n?/g, '\n').split('\n');
  return blocks(lines, 0);
}

/**
 * @param {string[]} lines
 * @param {number} depth
 * @returns {Block[]}
 */
function blocks(lines, depth) {
  /** @type {Block[]} */
  const found = [];
  let index = 0;
  while (index < lines.length) {
    const start = index;
    const line = lines[index];
    if (!line.trim()) index += 1;
    else if (FENCE.test(line)) index = fence(lines, index, found);
    else if (RULE.test(line)) { found.push({ type: 'rule' }); index += 1; }
    else if (HEADING.test(line)) { found.push(heading(line)); index += 1; }
    else if (QUOTE.test(line) && depth < MAX_DEPTH) index = quote(lines, index, depth, found);
    else if (BULLET.test(line)) index = bullets(lines, index, found);
    else if (NUMBER.test(line)) index = numbers(lines, index, found);
    else if (startsTable(lines, index)) index = table(lines, index, found);
    if (index === start) index = paragraph(lines, index, found);
  }
  return found;
}

/**
 * @param {string} line
 * @returns {Block}
 */
function heading(line) {
  const [, marks, title] = /** @type {RegExpMatchArray} */ (HEADING.exec(line));
  return { type: 'heading', level: marks.length, children: inline(title) };
}

/**
 * @param {string[]} lines
 * @param {number} index
 * @param {Block[]} found
 */
function fence(lines, index, found) {
  let end = index + 1;
  while (end < lines.length && !FENCE.test(lines[end])) end += 1;
  found.push({ type: 'fence', text: lines.slice(index + 1, end).join('\n') });
  return end + 1;
}

/**
 * @param {string[]} lines
 * @param {number} index
 * @param {number} depth
 * @param {Block[]} found
 */
function quote(lines, index, depth, found) {
  let end = index;
  while (end < lines.length && QUOTE.test(lines[end])) end += 1;
  const inner = lines.slice(index, end).map((line) => line.replace(QUOTE, ''));
  found.push({ type: 'quote', children: blocks(inner, depth + 1) });
  return end;
}

/**
 * Bulleted lists nest by indentation.
 * @param {string[]} lines
 * @param {number} index
 * @param {Block[]} found
 */
function bullets(lines, index, found) {
  /** @type {Item[]} */
  const root = [];
  /** @type {{indent: number, items: Item[]}[]} */
  const levels = [{ indent: indentOf(lines[index]), items: root }];
  let end = index;
  for (; end < lines.length; end += 1) {
    const match = BULLET.exec(lines[end]);
    if (!match || RULE.test(lines[end])) break;
    const indent = indentOf(lines[end]);
    while (levels.length > 1 && indent < levels[levels.length - 1].indent) levels.pop();
    const level = levels[levels.length - 1];
    const parent = level.items[level.items.length - 1];
    if (parent && indent >= level.indent + 2 && levels.length < MAX_DEPTH) {
      const items = [{ children: inline(match[2]), sublist: null }];
      parent.sublist = { type: 'list', ordered: false, items };
      levels.push({ indent, items });
    } else {
      level.items.push({ children: inline(match[2]), sublist: null });
    }
  }
  found.push({ type: 'list', ordered: false, items: root });
  return end;
}

/**
 * Numbered lists neither nest nor start elsewhere than at 1.
 * @param {string[]} lines
 * @param {number} index
 * @param {Block[]} found
 */
function numbers(lines, index, found) {
  /** @type {Item[]} */
  const items = [];
  let end = index;
  for (; end < lines.length; end += 1) {
    const match = NUMBER.exec(lines[end]);
    if (!match) break;
    items.push({ children: inline(match[2]), sublist: null });
  }
  found.push({ type: 'list', ordered: true, items });
  return end;
}

/** @param {string} line */
function indentOf(line) {
  return line.length - line.trimStart().length;
}

/**
 * @param {string[]} lines
 * @param {number} index
 */
function startsTable(lines, index) {
  const afterEmptyLine = index === 0 || !lines[index - 1].trim();
  const divider = lines[index + 1] ?? '';
  return afterEmptyLine && lines[index].includes('|') && divider.includes('|') && DIVIDER.test(divider)
    && cells(lines[index]).length === cells(divider).length;
}

/**
 * @param {string[]} lines
 * @param {number} index
 * @param {Block[]} found
 */
function table(lines, index, found) {
  const head = cells(lines[index]).map(inline);
  const align = cells(lines[index + 1]).map(alignment);
  /** @type {Inline[][][]} */
  const rows = [];
  let end = index + 2;
  for (; end < lines.length && lines[end].includes('|') && lines[end].trim(); end += 1) {
    const row = cells(lines[end]).map(inline).slice(0, head.length);
    while (row.length < head.length) row.push([]);
    rows.push(row);
  }
  found.push({ type: 'table', align, head, rows });
  return end;
}

/** @param {string} line */
function cells(line) {
  return line.trim().replace(/^\|/, '').replace(/\|$/, '').split('|').map((cell) => cell.trim());
}

/**
 * @param {string} cell
 * @returns {Alignment}
 */
function alignment(cell) {
  if (cell.endsWith(':')) return cell.startsWith(':') ? 'center' : 'right';
  return 'left';
}

/**
 * @param {string[]} lines
 * @param {number} index
 * @param {Block[]} found
 */
function paragraph(lines, index, found) {
  let end = index + 1;
  while (end < lines.length && lines[end].trim() && !interrupts(lines[end])) end += 1;
  const text = lines.slice(index, end).map((line) => line.trimStart())
    .reduce((before, line) => (/ {2,}$/.test(before) ? `${before.trimEnd()}<br>${line}` : `${before.trimEnd()} ${line}`));
  found.push({ type: 'paragraph', children: inline(text.trimEnd()) });
  return end;
}

/** @param {string} line */
function interrupts(line) {
  return [FENCE, RULE, HEADING, QUOTE, BULLET, NUMBER].some((start) => start.test(line));
}
