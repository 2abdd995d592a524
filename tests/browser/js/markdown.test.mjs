// Run by tests/browser/test_javascript.py with `node --test`: no browser, no packages.
import assert from 'node:assert/strict';
import test from 'node:test';

import { linkAddress, pictureAddress } from '../../../bot/kit/simulator/page/addresses.js';
import { inline } from '../../../bot/kit/simulator/page/inline.js';
import { parse } from '../../../bot/kit/simulator/page/markdown.js';

/** A tree as short text: `strong(a text)`. */
function short(nodes) {
  return nodes.map((node) => {
    switch (node.type) {
      case 'text': return node.text;
      case 'break': return '⏎';
      case 'code': return `code(${node.text})`;
      case 'emoji': return `emoji(${node.name})`;
      case 'image': return `image(${node.source}|${node.alternative})`;
      case 'link': return `link(${node.href}|${short(node.children)})`;
      case 'font': return `font(${node.color}|${node.size}|${short(node.children)})`;
      case 'at': return `at(${node.id}|${short(node.children)})`;
      default: return `${node.type}(${short(node.children)})`;
    }
  }).join('');
}

function shape(blocks) {
  return blocks.map((block) => {
    switch (block.type) {
      case 'rule': return 'rule';
      case 'fence': return `fence(${block.text})`;
      case 'heading': return `h${block.level}(${short(block.children)})`;
      case 'quote': return `quote(${shape(block.children)})`;
      case 'list': return `${block.ordered ? 'ol' : 'ul'}(${block.items.map((item) => short(item.children)
        + (item.sublist ? `>${shape([item.sublist])}` : '')).join(';')})`;
      case 'table': return `table(${block.align.join(',')}|${[block.head, ...block.rows].map((row) => row.map(short).join(',')).join('/')})`;
      default: return short(block.children);
    }
  }).join(' ¶ ');
}

const INLINE = [
  ['plain 文字', 'plain 文字'],
  ['**bold** and *italic* and __bold__ and _italic_', 'strong(bold) and emphasis(italic) and strong(bold) and emphasis(italic)'],
  ['**库存**：12', 'strong(库存)：12'],
  ['***both***', 'strong(emphasis(both))'],
  ['**a *b** c*', 'strong(a *b) c*'],
  ['2 * 3 * 4', '2 * 3 * 4'],
  ['**open', '**open'],
  ['sku_a_b and __init', 'sku_a_b and __init'],
  ['`**x** <br>`', 'code(**x** <br>)'],
  ['a<br>b<BR/>c', 'a⏎b⏎c'],
  ['[微笑][OK][nosuch]', 'emoji(微笑)emoji(OK)[nosuch]'],
  ['[ERP](https://erp.example/a_(b))', 'link(https://erp.example/a_(b)|ERP)'],
  ['[**SO-1001**](dingtalk://dingtalkclient/page/link?url=x)', 'link(dingtalk://dingtalkclient/page/link?url=x|strong(SO-1001))'],
  ['![logo](@lALPDfJ6V_FPDmvNAfTNAfQ)', 'image(@lALPDfJ6V_FPDmvNAfTNAfQ|logo)'],
  ['<font colorTokenV2=common_blue1_color sizeToken=common_h3_text_style__font_size>x</font>',
    'font(var(--common_blue1_color)|var(--common_h3_text_style__font_size)|x)'],
  ['<font color=common_level3_base_color size=12>x</font>', 'font(var(--common_level3_base_color)|12px|x)'],
  ['<font color=#FF0000>x</font>', 'font(#FF0000||x)'],
  ['<font colorTokenV2="common_blue1_color">quoted</font>', 'font(||quoted)'],
  ['<font color=common_red1_color>**late** <font color=common_gray1_color>old</font></font>',
    'font(var(--common_red1_color)||strong(late) font(var(--common_gray1_color)||old))'],
  ['<font color=common_red1_color>never closed', '<font color=common_red1_color>never closed'],
  ['stray </font> and </a>', 'stray </font> and </a>'],
  ['<a atId=manager4220>王小明</a>', 'at(manager4220|王小明)'],
  ['\\*not escaped\\*', '\\emphasis(not escaped\\)'],
];

for (const [text, expected] of INLINE) {
  test(`inline: ${text}`, () => assert.equal(short(inline(text)), expected));
}

const HOSTILE = [
  '<script>alert(1)</script>', '<img src=x onerror=alert(1)>', '[x](javascript:alert(1))', '[x](JaVaScRiPt:alert(1))',
  '[x](data:text/html,y)', '[x](vbscript:y)', '[x](/relative)', '[x](//host)', '<a href=https://x>y</a>', '&lt;b&gt;',
];
for (const text of HOSTILE) {
  test(`only text: ${text}`, () => assert.deepEqual(inline(text), [{ type: 'text', text }]));
}

const BLOCKS = [
  ['# one\n##### five #\n####### seven', 'h1(one) ¶ h5(five) ¶ ####### seven'],
  ['one\ntwo\n\nthree', 'one two ¶ three'],
  ['one  \n  two', 'one⏎two'],
  ['a\r\n\r\nb', 'a ¶ b'],
  ['***\n---\n* * *', 'rule ¶ rule ¶ rule'],
  ['> a\n> > b\n> c', 'quote(a ¶ quote(b) ¶ c)'],
  ['* a\n* b\n  * c\n  * d\n* e', 'ul(a;b>ul(c;d);e)'],
  ['- **a**\n+ b', 'ul(strong(a);b)'],
  ['3. a\n7. b', 'ol(a;b)'],
  ['text\n* a', 'text ¶ ul(a)'],
  ['```\n**x**\n<b>\n```\nafter', 'fence(**x**\n<b>) ¶ after'],
  ['```\nnever closed', 'fence(never closed)'],
  ['| a | b | c |\n| :- | :-: | -: |\n| 1 | **2** |\n| 3 | 4 | 5 | 6 |', 'table(left,center,right|a,b,c/1,strong(2),/3,4,5)'],
  ['text\n| a | b |\n| - | - |', 'text | a | b | | - | - |'],
  ['| a | b |\n| - |', '| a | b | | - |'],
  ['a | b', 'a | b'],
  ['', ''],
];
for (const [text, expected] of BLOCKS) {
  test(`blocks: ${JSON.stringify(text)}`, () => assert.equal(shape(parse(text)), expected));
}

test('addresses', () => {
  assert.equal(linkAddress('https://a.example/x?y=1'), 'https://a.example/x?y=1');
  assert.equal(linkAddress('java\nscript:alert(1)'), '');
  assert.equal(linkAddress('file:///etc/passwd'), '');
  assert.equal(pictureAddress('data:image/svg+xml,<svg/>'), '');
  assert.equal(pictureAddress('dingtalk://x'), '');
});

test('nothing is lost and nothing takes long', () => {
  const seeds = ['**', '[', '`', '<font color=red>', '<a atId=x>', '> ', '* ', '| ', '_', '![](', '```\n', '[x](', '***', '\n'];
  for (const seed of seeds) {
    const started = performance.now();
    assert.ok(parse(seed.repeat(8_000)).length >= 0);
    assert.ok(performance.now() - started < 1_000, `${JSON.stringify(seed)} took ${performance.now() - started} ms`);
  }
  const words = 'a*b_c[d](e)<f>|`g`!h'.repeat(50);
  assert.equal(inline('x < y > z & "q"').map((node) => node.text).join(''), 'x < y > z & "q"');
  assert.ok(short(inline(words)).includes('<f>'));
});
