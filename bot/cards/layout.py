"""The lines of a body: as DingTalk's cards want them, as its plain markdown wants them, and cut to a size.

A line of a template is a line on the card. Card markdown breaks lines at ``<br>`` and starts a paragraph at an empty
line; plain markdown breaks at two blanks, newline, two blanks (docs: platform/dingtalk/markdown.md#line-breaks).
"""

from __future__ import annotations

import re
from itertools import pairwise

from bot.cards.escape import WORD_JOINER, clean

EMPTY_MARK = "\0"
"""Marks a line that disappears when it holds nothing else; no data can contain it (`bot.cards.escape.clean`)."""

_BLOCK = re.compile(r"(?:[-*] |\d+\. |#{1,6} |>|\||\*\*\*$|```)")
_STARTS = frozenset("-*#>|`0123456789")
"""First characters of what `_BLOCK` finds: most lines have another one."""
_FONT = re.compile(r"</?font\b[^<>]*>")
_MENTION = re.compile(r"</?a\b[^<>]*>")
_RULE = re.compile(r"\|(?: ?:?-+:? ?\|)+$")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_PLAIN_BREAK = "  \n  "
_BREAKABLE = str.maketrans({WORD_JOINER: None, "\xa0": " "})
"""Plain text is searched and copied, which what only forbids a break would spoil."""


def lines_of(text: str) -> list[str]:
    """Return the lines of a rendered block; an empty string parts paragraphs, never two in a row or at an end."""
    lines = [*map(str.strip, text.replace("<br>", "\n").split("\n"))]
    if EMPTY_MARK in text:
        lines = [shown for line in lines if (shown := line.replace(EMPTY_MARK, "").strip()) or not line]
    lines = [line for before, line in pairwise(["", *lines]) if line or before]
    if lines and not lines[-1]:
        lines.pop()
    return lines


def card_markdown(lines: list[str]) -> str:
    """Join lines for a card: ``<br>`` between lines of one paragraph, a bare newline around lists and tables."""
    parts: list[str] = []
    before, before_is_block = "", False
    for line in lines:
        is_block = line[:1] in _STARTS and _BLOCK.match(line) is not None
        if not before or not line:
            gap = "\n"
        elif is_block or before_is_block:
            same = is_block and before_is_block and before[0] == line[0]
            # A table needs an empty line before it, and text after a list or a quote would continue its last item.
            starts_table = line[0] == "|" and not same
            continues = not is_block and before[0] in "-*>|0123456789"
            gap = "\n\n" if starts_table or continues else "\n"
        else:
            gap = "<br>"
        parts += (gap, line)
        before, before_is_block = line, is_block
    return "".join(parts[1:])


def plain_markdown(lines: list[str]) -> str:
    """Join lines for places without cards: no colours, no tables, breaks that every client honours."""
    text: list[str] = []
    for line in lines:
        if line.startswith("|"):
            if _RULE.match(line):
                continue
            line = " · ".join(cell.strip() for cell in line.strip("|").split("|"))
        text.append(strip_colours(line).translate(_BREAKABLE))
    return _PLAIN_BREAK.join(text).replace(f"{_PLAIN_BREAK}{_PLAIN_BREAK}", "\n\n")


def strip_colours(text: str) -> str:
    """Return the text without font and mention tags."""
    return _MENTION.sub("", _FONT.sub("", text)) if "<" in text else text


def strip_markup(text: str) -> str:
    """Return the text without any markup of ours: for a line that must be cut inside."""
    text = strip_colours(text)
    return (_LINK.sub(r"\1", text) if "[" in text else text).replace("**", "")


def single_line(text: str, limit: int) -> str:
    """Return the lines of a rendered block as a single one without markup, within ``limit`` bytes."""
    return cut_bytes(strip_markup(text.replace("<br>", " ").replace(EMPTY_MARK, "")), limit)


def cut_bytes(text: str, limit: int) -> str:
    """Return ``text`` on one line and within ``limit`` bytes of UTF-8, never cut inside a character."""
    text = clean(text, limit)
    if len(text.encode()) <= limit:
        return text
    return text.encode()[: max(0, limit - 3)].decode(errors="ignore").rstrip() + ("…" if limit >= 3 else "")


def split_text(text: str, limit: int, count: int) -> list[str]:
    """Return a card's text in up to ``count`` parts of ``limit`` bytes at most; the last one takes all that is left.

    They are parted between paragraphs, or between the lines of one that is longer.
    """
    parts: list[bytes] = []
    left = text.encode()
    while len(parts) < count - 1 and len(left) > limit:
        paragraph, line, row = (left.rfind(mark, 0, limit + len(mark)) for mark in (b"\n\n", b"\n", b"<br>"))
        inside = len(left[:limit].decode(errors="ignore").encode())
        end = next(end for end in (paragraph, max(line, row), inside) if end > 0)
        parts.append(left[:end])
        left = left[end:].lstrip(b"\n").removeprefix(b"<br>")
    return [part.decode() for part in (*parts, left)]


def cut_lines(lines: list[str], limit: int, note: str, count: int = 1) -> list[str]:
    """Return as many first lines as fit ``count`` parts of ``limit`` bytes together with ``note``, which says so.

    A first line that is too long alone loses its markup and its end.
    """
    kept = list(lines)
    while kept and len(split_text(card_markdown([*kept, "", note]), limit, count)[-1].encode()) > limit:
        kept.pop()
        while kept and not kept[-1]:
            kept.pop()
    if not kept and lines:
        kept = [cut_bytes(strip_markup(lines[0]), limit - len(note.encode()) - 2)]
    return [*kept, "", note]
