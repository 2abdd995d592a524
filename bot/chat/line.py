"""A typed line as text: forgiven, split into words, and written back.

Nothing here knows a command; `bot.chat.reading` finds it.
"""

from __future__ import annotations

import re
import unicodedata

MAX_LINE_BYTES = 150
"""What may be asked in one line: it must fit a button's token together with its kind and offset (`Ask.pack`)."""

_SEPARATORS = ",;，；、"

# Blanks that clients put around a mention (DingTalk sheet, 2.2) and those of pasted text.
_BLANKS = "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u00a0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
# Dashes that phone keyboards and word processors make of a typed hyphen in a document number.
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2212\ufe58\ufe63\uff0d"
# All full-width signs but brackets and quotation marks: those are part of company names, and an ERP searches for what
# is written. The look-alikes that cards show instead of markup (`bot.cards.escape`) are among them.
_FULL_WIDTH = "".join(chr(code) for code in range(0xFF01, 0xFF5F) if chr(code) not in "＂＇（）")

_FOLD = {
    **dict.fromkeys(map(ord, _BLANKS), " "),
    **dict.fromkeys(map(ord, _DASHES), "-"),
    **{ord(sign): chr(ord(sign) - 0xFEE0) for sign in _FULL_WIDTH},
    ord("。"): ".",
}

# Signs without a width or a meaning: controls, joiners, direction marks, variation selectors, tags, lone surrogates.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
_TRAILING = " .!?,;:~…、"
_WORD = re.compile(r'"((?:[^"]|"")*)"(?!\S)|(\S+)')
_LISTED_WORD = re.compile(rf'"((?:[^"]|"")*)"(?![^\s{_SEPARATORS}])|([^\s{_SEPARATORS}]+)')
_QUOTED = re.compile(rf'[\s{_SEPARATORS}]|^["/]|[{re.escape(_TRAILING)}]$')


def normalise(text: str) -> str:
    """Return ``text`` with one kind of blank, hyphen, letter and digit, and without punctuation at its end.

    A line that is nothing but a question mark stays: it asks for help. Doing it twice changes nothing.
    """
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text).translate(_FOLD))
    text = " ".join(text.split())
    shorter = text.rstrip(_TRAILING)
    if text.endswith("?") and shorter in {"", "/"}:
        return f"{shorter}?"
    return shorter


def split(text: str, *, listed: bool = False) -> tuple[str, ...]:
    """Return the words of a normalised text; ``"`` holds a word with blanks together, ``""`` in it is one sign.

    ``listed``: commas and semicolons part words too. They don't otherwise, because names hold them.
    """
    pattern = _LISTED_WORD if listed else _WORD
    if '"' not in text:
        return tuple(plain for _, plain in pattern.findall(text))
    words = (plain or " ".join(quoted.replace('""', '"').split()) for quoted, plain in pattern.findall(text))
    return tuple(word for word in words if word)


def quote(word: str) -> str:
    """Return ``word`` so that `split` gives it back as one word: for lines that buttons repeat."""
    if not word or _QUOTED.search(word):
        return '"' + word.replace('"', '""') + '"'
    return word


def command_line(command: str, *words: str) -> str:
    """Return the line that asks ``command`` with ``words``, each kept as one word; empty words are left out."""
    return " ".join([f"/{command}", *[quote(word) for word in words if word]])
