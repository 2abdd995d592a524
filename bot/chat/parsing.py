"""From typed text to a command: normalised, split into words, matched with names and aliases; also durations."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from functools import cached_property

from bot.cards.actions import Ask, with_words
from bot.words.disclosure import HIDDEN

MAX_LINE_BYTES = 150
"""Bytes of one line: it must fit a button's token together with its kind and offset (`Ask.pack`)."""

_SEPARATORS = ",;，；、"

# Blanks that clients put around a mention (docs: platform/dingtalk/messages.md#mentions), and those of pasted text.
_BLANKS = "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u00a0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
# Dashes that phone keyboards and word processors produce for a hyphen typed in a document number.
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2212\ufe58\ufe63\uff0d"
# All full-width characters but brackets and quotation marks: those are part of company names, and an ERP searches for
# what is written. The look-alikes that cards show instead of markup (`bot.cards.escape`) are among them.
_FULL_WIDTH = "".join(chr(code) for code in range(0xFF01, 0xFF5F) if chr(code) not in "＂＇（）")

_FOLD = {
    **dict.fromkeys(map(ord, _BLANKS), " "),
    **dict.fromkeys(map(ord, _DASHES), "-"),
    **{ord(char): chr(ord(char) - 0xFEE0) for char in _FULL_WIDTH},
    ord("。"): ".",
}

# Characters without width or meaning: controls, joiners, direction marks, variation selectors, tags, lone surrogates.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
_TRAILING = " .!?,;:~…、"
_WORD = re.compile(r'"((?:[^"]|"")*)"(?!\S)|(\S+)')
_LISTED_WORD = re.compile(rf'"((?:[^"]|"")*)"(?![^\s{_SEPARATORS}])|([^\s{_SEPARATORS}]+)')
_QUOTED = re.compile(rf'[\s{_SEPARATORS}]|^["/]|[{re.escape(_TRAILING)}]$')


def normalise(text: str) -> str:
    """Return ``text`` with uniform blanks, hyphens, letters and digits, and without final punctuation.

    A line of only a question mark stays: it asks for help. The function is idempotent.
    """
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text).translate(_FOLD))
    text = " ".join(text.split())
    shorter = text.rstrip(_TRAILING)
    if text.endswith("?") and shorter in {"", "/"}:
        return f"{shorter}?"
    return shorter


def split(text: str, *, listed: bool = False) -> tuple[str, ...]:
    """Return the words of a normalised text; ``"`` groups a word with blanks, ``""`` inside is one quote.

    ``listed``: commas and semicolons separate words too; otherwise they do not, because names contain them.
    """
    pattern = _LISTED_WORD if listed else _WORD
    if '"' not in text:
        return tuple([plain for _, plain in pattern.findall(text)])
    words = (plain or " ".join(quoted.replace('""', '"').split()) for quoted, plain in pattern.findall(text))
    return tuple(word for word in words if word)


def quote(word: str) -> str:
    """Return ``word`` so that `split` returns it as one word: for lines that buttons repeat."""
    if not word or _QUOTED.search(word):
        return '"' + word.replace('"', '""') + '"'
    return word


def command_line(command: str, *words: str, books: Iterable[str] = ()) -> str:
    """Return the line that asks ``command`` with ``words``, each kept as one word; empty words are left out.

    ``books`` are the names of its books. If the reader may not see a word, the line is `HIDDEN` as well.
    """
    if HIDDEN in words:
        return HIDDEN  # type: ignore[no-any-return]  # it stands for any value
    line = " ".join([f"/{command}", *[quote(word) for word in words if word]])
    return in_books(line, books) if books else line


def in_books(line: str, books: Iterable[str]) -> str:
    """Return a line restricted to the books with these names."""
    return line if line is HIDDEN else with_words(line, marked(books))


def marked(books: Iterable[str]) -> tuple[str, ...]:
    """Return the words that name books in a line."""
    return tuple(quote(f"@{name}") for name in books)


# On Chinese keyboards the slash key writes an enumeration comma.
_SLASHES = "/\\、"

_MENTIONS = re.compile(r"(?:@\S+\s+)+")
"""Other people's names stay in the text of a message to the bot (docs: platform/dingtalk/messages.md#mentions)."""

_MAX_PARSED = 400
"""Characters of a line that are read. More are too many for any command, and the patterns take quadratic time."""

_SLASH_INSIDE = re.compile(r"\s/\s?(?=\S)")

_POLITE_PREFIX = re.compile(
    r"(?:(?:你好|您好|请问?|麻烦|帮我|帮忙|我想|我要|给我|查询|查一下|查一查|查下|查查|查看|查找|查|看一下|看下|看看|看|搜索|搜"
    r"|列出|显示|有哪些|哪些|所有|一下)[\s,!]*|(?:hi|hello|please|check|show|list|get|me|the|of)(?:[\s,!]+|$))+",
    re.IGNORECASE | re.ASCII,
)
_POLITE_SUFFIX = re.compile(
    r"(?:\s*(?:还?有?多少个?|是?多少|几个|情况|状态|怎么样|如何|查询|看看|一下|了|吗|呢|吧|啊|呀|谢谢|的|please|thanks))+$"
)
_OF_A_COMMAND = "(?:查询|列表|一览|情况|状态|还有多少|有多少|多少)?"
_ALIAS_FLAGS = re.IGNORECASE | re.ASCII


@dataclass(frozen=True, slots=True)
class ParsedLine:
    """A parsed line: ``command`` is a name or None, ``rest`` the text after it, ``word`` the word for the command.

    ``offset`` is the first row wanted of a list, for people who type the text form of a page button (`Ask.typed`).
    """

    command: str | None
    rest: str
    word: str = ""
    slashed: bool = False
    offset: int = 0


class LineParser:
    """Finds the command of a line among names and aliases. Cheap: one dictionary lookup for lines typed as shown."""

    def __init__(self, aliases: Mapping[str, str], slashed: Collection[str] = ()) -> None:
        """``aliases`` maps every word for a command, casefolded, to the command's name.

        The ``slashed`` ones among them count only as the first word after a slash: elsewhere they mean something else.
        """
        self._aliases = aliases
        self._slashed = slashed

    # Lines typed as shown need no pattern, and building them would delay the start by 5 ms.
    @cached_property
    def _at_start(self) -> re.Pattern[str]:
        spaced, glued = self._alternatives()
        return re.compile(rf"(?:({spaced})(?=[\s:,]|$)|({glued}){_OF_A_COMMAND})[\s:,]*", _ALIAS_FLAGS)

    @cached_property
    def _at_end(self) -> re.Pattern[str]:
        spaced, glued = self._alternatives()
        return re.compile(rf"\s*(?:的\s*)?({glued})$|\s({spaced})$", _ALIAS_FLAGS)

    def _alternatives(self) -> tuple[str, str]:
        """Return the aliases that need a blank beside them, and those in non-alphabetic scripts, which do not."""
        longest_first = sorted((alias for alias in self._aliases if alias not in self._slashed), key=len, reverse=True)
        spaced = "|".join(re.escape(alias) for alias in longest_first if alias.isascii())
        glued = "|".join(re.escape(alias) for alias in longest_first if not alias.isascii())
        never = "(?!)"  # an empty alternative would match anywhere
        return spaced or never, glued or never

    def parse(self, line: str) -> ParsedLine:
        """Return the meaning of ``line``; never fails. Without a known command ``rest`` is a possible number or name.

        A line with only polite words has neither.
        """
        ask = Ask.from_typed(normalise(line)[:_MAX_PARSED].rstrip())
        parsed = self._read(ask.line)
        return replace(parsed, offset=ask.offset) if ask.offset else parsed

    def _read(self, text: str) -> ParsedLine:
        slashed = text[:1] in _SLASHES if text else False
        body = text.lstrip(_SLASHES + " ") if slashed else text
        first, _, rest = body.partition(" ")
        if (command := self._aliases.get(first.casefold())) and (slashed or first.casefold() not in self._slashed):
            return ParsedLine(command, rest, first, slashed)
        if parsed := self._from_start(body, slashed):
            return parsed
        if slashed:
            return ParsedLine(None, rest, first, slashed)
        return self._natural(body)

    def _from_start(self, text: str, slashed: bool) -> ParsedLine | None:
        match = self._at_start.match(text)
        if match is None:
            return None
        word = match[1] or match[2]
        return ParsedLine(self._aliases[word.casefold()], text[match.end() :], word, slashed)

    def _natural(self, text: str) -> ParsedLine:
        """Parse a line without a leading slash: greetings and particles around the command are ignored."""
        text = _MENTIONS.sub("", text, count=1) if text.startswith("@") else text
        for slash in _SLASH_INSIDE.finditer(f" {text}"):
            if parsed := self._from_start(text[slash.end() - 1 :], slashed=True):
                return parsed
        start = match.end() if (match := _POLITE_PREFIX.match(text)) else 0
        essence = _POLITE_SUFFIX.sub("", text[start:])
        if not essence:
            return ParsedLine(None, "")
        if parsed := self._from_start(essence, slashed=False):
            return parsed
        if match := self._at_end.search(essence):
            word = match[1] or match[2]
            rest = _POLITE_SUFFIX.sub("", essence[: match.start()])
            return ParsedLine(self._aliases[word.casefold()], rest, word)
        bare = essence if _is_separate(text, start) else text
        return ParsedLine(None, bare, bare.partition(" ")[0])


def _is_separate(text: str, start: int) -> bool:
    """Return whether the text before ``start`` is politeness, not part of a name: 看 SKU1, 看SKU1, but not 看板."""
    return start != 1 or text[start].isascii()


_UNITS = {
    timedelta(minutes=1): ("m", "min", "mins", "minute", "minutes", "分", "分钟"),
    timedelta(hours=1): ("h", "hr", "hrs", "hour", "hours", "小时", "个小时", "时", "钟头", "个钟头"),
    timedelta(days=1): ("d", "day", "days", "天", "日"),
    timedelta(weeks=1): ("w", "wk", "week", "weeks", "周", "星期", "个星期", "礼拜", "个礼拜"),
}
_LENGTHS = {name: length for length, names in _UNITS.items() for name in names}
_DURATION = re.compile(r"(\d{1,4}(?:\.\d{1,2})?|半)\s*个?\s*([^\W\d_]+)")
_NUMERALS = str.maketrans("一二两三四五六七八九", "1223456789")
_HALF = Decimal("0.5")


def parse_duration(text: str) -> timedelta | None:
    """Return the duration in a normalised text, None if it has none."""
    match = _DURATION.fullmatch(text.strip().casefold().translate(_NUMERALS))
    length = _LENGTHS.get(match[2]) if match else None
    if match is None or length is None:
        return None
    amount = _HALF if match[1] == "半" else Decimal(match[1])
    return timedelta(seconds=int(amount * int(length.total_seconds())))
