"""A card's markdown as HTML.

Everything is escaped first. What the text of others holds cannot be markup (`bot.cards.escape`), and what becomes
markup here is only what the cards' own templates write: bold, colours, lists, links. So whatever a card holds, it makes
none but these tags.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby

from markupsafe import Markup

_BOLD = re.compile(r"\*\*(.+?)\*\*")
_PICTURE = re.compile(r"!\[([^\[\]]*)\]\([^()\s]*\)")
_LINK = re.compile(r"\[([^\[\]]*)\]\((https://[^()\s]+)\)")
_COLOUR = re.compile(r"&lt;font colorTokenV2=common_(red|orange|green|blue|gray)\d_color&gt;")
_SIZE = re.compile(r"&lt;font sizeToken=\w+&gt;")
_CLOSE = "&lt;/font&gt;"
_OTHER_TAG = re.compile(r"&lt;/?(?:font|a)\b.*?&gt;")
_HEADING = re.compile(r"#{1,6} +")
_NUMBERED = re.compile(r"\d+\. +")
_RULE = re.compile(r"\|(?: ?:?-+:? ?\|)+")


def as_html(markdown: str) -> Markup:
    """Return a card's body as HTML."""
    lines = markdown.replace("<br>", "\n").split("\n")
    return Markup("".join(_blocks(lines)))  # noqa: S704 - `_inline` has escaped each line


def inline_html(markdown: str) -> Markup:
    """Return a card's title or tips as HTML."""
    return Markup(_inline(markdown))  # noqa: S704 - it is escaped there


def _blocks(lines: list[str]) -> Iterator[str]:
    for kind, group in groupby(lines, _kind):
        held = list(group)
        match kind:
            case "list":
                yield _items("ul", [line[2:] for line in held])
            case "numbers":
                yield _items("ol", [_NUMBERED.sub("", line, count=1) for line in held])
            case "quote":
                yield f"<blockquote>{_broken(line.lstrip('> ') for line in held)}</blockquote>"
            case "heading":
                yield "".join(f"<h3>{_inline(_HEADING.sub('', line, count=1))}</h3>" for line in held)
            case "table":
                yield _table(held)
            case "line":
                yield f"<p>{_broken(held)}</p>"


def _items(tag: str, lines: Iterable[str]) -> str:
    return f"<{tag}>{''.join(f'<li>{_inline(line)}</li>' for line in lines)}</{tag}>"


def _broken(lines: Iterable[str]) -> str:
    return "<br>".join(map(_inline, lines))


def _kind(line: str) -> str:
    if not line.strip():
        return ""
    if line.startswith(("- ", "* ")):
        return "list"
    if line.startswith(">"):
        return "quote"
    if line.startswith("|"):
        return "table"
    if _NUMBERED.match(line):
        return "numbers"
    return "heading" if _HEADING.match(line) else "line"


def _table(lines: list[str]) -> str:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if not _RULE.fullmatch(line)]
    cells = ("".join(f"<td>{_inline(cell)}</td>" for cell in row) for row in rows)
    return f'<table class="facts">{"".join(f"<tr>{row}</tr>" for row in cells)}</table>'


def _inline(text: str) -> str:
    shown = escape(text)
    opened = len(_COLOUR.findall(shown)) + len(_SIZE.findall(shown))
    if opened and opened == shown.count(_CLOSE):
        shown = _COLOUR.sub(r'<span class="tone-\1">', shown)
        shown = _SIZE.sub('<span class="small">', shown).replace(_CLOSE, "</span>")
    shown = _OTHER_TAG.sub("", shown)
    shown = _PICTURE.sub(r"\1", shown)
    shown = _LINK.sub(r'<a href="\2" target="_blank" rel="noopener noreferrer">\1</a>', shown)
    return _BOLD.sub(r"<strong>\1</strong>", shown)
