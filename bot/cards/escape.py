"""Text of others made harmless inside DingTalk's markdown (docs: platform/dingtalk/markdown.md).

Backslash escapes are not honoured by all clients, so characters that could become markup are replaced by their
full-width look-alikes, which the parser of commands reads like the originals.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from unicodedata import category, east_asian_width

from markupsafe import Markup

WORD_JOINER = "\u2060"
"""Forbids a break where it stands, and takes no room."""

MAX_TEXT = 100
"""Characters of one inserted value; more is cut, since a card holds about 340 Chinese characters in all."""

_BLANKS = re.compile(r"\s")
_FILLERS = re.compile("[\u115f\u1160\u3164\uffa0]")
"""Letters that are blank."""
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co"})
"""Controls, zero-width and bidirectional characters, lone surrogates, private characters."""

_LOOK_ALIKES = str.maketrans("*_#<>|[]`~\\", "＊＿＃＜＞｜［］｀～＼")
_MARKUP = re.compile(r"[*_#<>|\[\]`~\\@&]|^[-+=\d]")
_MENTION = re.compile(r"(?:^|(?<=\s))@")
_EXACT = re.compile(r"[A-Za-z0-9](?:[\w.+/=-]*[A-Za-z0-9+/=])?", re.ASCII)
"""Letters, digits and the characters of ids; an underscore between them emphasises nothing."""
_MEDIA_ID = re.compile(r"@[\w-]{1,200}", re.ASCII)
_ENTITY = re.compile(r"&(?=#?\w{1,32};)")
_BULLET = re.compile(r"^[-+=](?!\d)")
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
_WIDE = {"-": "－", "+": "＋", "=": "＝", ".": "．", ")": "）"}
_URL_ESCAPES = str.maketrans({"(": "%28", ")": "%29", "<": "%3C", ">": "%3E", '"': "%22", "\\": "%5C", "`": "%60"})


class Markdown(Markup):
    """Text that is markdown already; whatever is joined to it or formatted into it is escaped."""

    __slots__ = ()

    if not TYPE_CHECKING:
        # Markup's own asks every text first whether it knows how to be HTML, which doubles the time.
        __new__ = str.__new__

    @classmethod
    def escape(cls, s: Any, /) -> Markdown:
        return escape(s)


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """Return ``text`` on one line, without invisible characters, cut to ``limit`` characters."""
    text = " ".join(text[: limit * 4].split())
    if not text.isascii() or not text.isprintable():
        shown = _FILLERS.sub("", text)
        if not shown.isprintable():
            shown = "".join(char for char in shown if char.isprintable() or category(char) not in _HIDDEN)
        if len(shown) < len(text):
            text = " ".join(shown.split())
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


def narrowed(text: str, width: int) -> str:
    """Return ``text`` cut to the width of this many Chinese characters; Latin letters are half as wide."""
    if len(text) <= width:
        return text
    room = 2 * width
    for count, char in enumerate(text):
        room -= 2 if east_asian_width(char) in "WF" else 1
        if room < 0:
            return f"{text[: max(0, count - 1)].rstrip()}…"
    return text


def escape(value: object, limit: int = MAX_TEXT) -> Markdown:
    """Return ``value`` as markdown that shows it literally; `Markdown` passes unchanged."""
    if isinstance(value, Markdown):
        return value
    return Markdown(value) if isinstance(value, Markup) else escape_text(str(value), limit)


def escape_text(text: str, limit: int = MAX_TEXT) -> Markdown:
    """Return plain text as markdown that shows it literally, cut to ``limit`` characters."""
    # Long texts would fill the memory of the cache, and most of their length is cut anyway.
    return _escape(text, limit) if len(text) <= limit else _escape.__wrapped__(text, limit)


@lru_cache(maxsize=4096)
def _escape(text: str, limit: int) -> Markdown:
    text = clean(text, limit)
    if _MARKUP.search(text):
        text = _MENTION.sub("＠", text.translate(_LOOK_ALIKES))
        text = _ENTITY.sub("＆", text)
        text = _BULLET.sub(lambda found: _WIDE[found[0]], text)
        text = _NUMBERED.sub(lambda found: found[1] + _WIDE[found[2]], text)
    return Markdown(text)


def exact(text: str) -> Markdown:
    """Return an id as it is, so that it can be copied; anything that looks like no id is escaped."""
    return Markdown(text) if len(text) <= MAX_TEXT and _EXACT.fullmatch(text) else escape_text(text)


def picture(text: object, media_id: str) -> Markdown:
    """Return a picture that was uploaded (docs: platform/dingtalk/files.md#upload), or only its text without one."""
    words = escape(text)
    return Markdown(f"![{words}]({media_id})") if _MEDIA_ID.fullmatch(media_id) else words


def link(text: object, url: str) -> Markdown:
    """Return a link, or only its text unless the address is https without characters that end a link early."""
    label = escape(text)
    address = url.strip()
    if not address.lower().startswith("https://") or _BLANKS.search(address) or not address.isprintable():
        return label
    safe = address.translate(_URL_ESCAPES)
    return Markdown(f"[{label}]({safe})")
