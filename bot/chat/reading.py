"""Which command a line means, however it was typed.

People write ``/stock SKU123``, but also ``库存SKU123``, ``查一下 SKU123 的库存`` or only ``SKU123``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.cards.actions import Ask
from bot.chat.line import normalise

# On Chinese keyboards the key of the slash writes an enumeration comma.
_SLASHES = "/\\、"

_MENTIONS = re.compile(r"(?:@\S+\s+)+")
"""Other people's names stay in the text of a message to the bot (DingTalk sheet, 2.2)."""

_LONGEST = 400
"""Characters of a line that are read. More are too many for any command, and the patterns take quadratic time."""

_SLASH_INSIDE = re.compile(r"\s/\s?(?=\S)")

_BEFORE = re.compile(
    r"(?:(?:你好|您好|请问?|麻烦|帮我|帮忙|我想|我要|给我|查询|查一下|查一查|查下|查查|查看|查找|查|看一下|看下|看看|看|搜索|搜"
    r"|列出|显示|有哪些|哪些|所有|一下)[\s,!]*|(?:hi|hello|please|check|show|list|get|me|the|of)(?:[\s,!]+|$))+",
    re.IGNORECASE | re.ASCII,
)
_AFTER = re.compile(
    r"(?:\s*(?:还?有?多少个?|是?多少|几个|情况|状态|怎么样|如何|查询|看看|一下|了|吗|呢|吧|啊|呀|谢谢|的|please|thanks))+$"
)
_OF_A_COMMAND = "(?:查询|列表|一览|情况|状态|还有多少|有多少|多少)?"


@dataclass(frozen=True, slots=True)
class Reading:
    """A line taken apart: ``command`` is a name or None, ``rest`` what follows, ``word`` what stood for the command.

    ``offset`` is the row from which on a list is wanted, for those who type what a page button does (`Ask.typed`).
    """

    command: str | None
    rest: str
    word: str = ""
    slashed: bool = False
    offset: int = 0


class LineReader:
    """Finds the command of a line among names and aliases. Cheap: a dictionary look-up for lines typed as shown."""

    def __init__(self, aliases: Mapping[str, str]) -> None:
        """``aliases`` maps every word that stands for a command, casefolded, to the command's name."""
        self._aliases = aliases
        longest_first = sorted(aliases, key=len, reverse=True)
        spaced = "|".join(re.escape(alias) for alias in longest_first if alias.isascii())
        glued = "|".join(re.escape(alias) for alias in longest_first if not alias.isascii())
        # An alias without letters of an alphabet needs no blank after it; an empty alternative must never match.
        flags = re.IGNORECASE | re.ASCII
        never = "(?!)"
        self._at_start = re.compile(
            rf"(?:({spaced or never})(?=[\s:,]|$)|({glued or never}){_OF_A_COMMAND})[\s:,]*", flags
        )
        self._at_end = re.compile(rf"\s*(?:的\s*)?({glued or never})$|\s({spaced or never})$", flags)

    def read(self, line: str) -> Reading:
        """Return what ``line`` means; never fails. Without a known command ``rest`` is what may be a number or name.

        A line that is empty but for politeness has neither.
        """
        ask = Ask.from_typed(normalise(line)[:_LONGEST].rstrip())
        reading = self._read(ask.line)
        return replace(reading, offset=ask.offset) if ask.offset else reading

    def _read(self, text: str) -> Reading:
        slashed = text[:1] in _SLASHES if text else False
        body = text.lstrip(_SLASHES + " ") if slashed else text
        first, _, rest = body.partition(" ")
        if command := self._aliases.get(first.casefold()):
            return Reading(command, rest, first, slashed)
        if reading := self._from_start(body, slashed):
            return reading
        if slashed:
            return Reading(None, rest, first, slashed)
        return self._natural(body)

    def _from_start(self, text: str, slashed: bool) -> Reading | None:
        match = self._at_start.match(text)
        if match is None:
            return None
        word = match[1] or match[2]
        return Reading(self._aliases[word.casefold()], text[match.end() :], word, slashed)

    def _natural(self, text: str) -> Reading:
        """Read a line without a slash at its start: greetings and particles around the command are ignored."""
        text = _MENTIONS.sub("", text, count=1) if text.startswith("@") else text
        for slash in _SLASH_INSIDE.finditer(f" {text}"):
            if reading := self._from_start(text[slash.end() - 1 :], slashed=True):
                return reading
        start = match.end() if (match := _BEFORE.match(text)) else 0
        essence = _AFTER.sub("", text[start:])
        if not essence:
            return Reading(None, "")
        if reading := self._from_start(essence, slashed=False):
            return reading
        if match := self._at_end.search(essence):
            word = match[1] or match[2]
            rest = _AFTER.sub("", essence[: match.start()])
            return Reading(self._aliases[word.casefold()], rest, word)
        bare = essence if _is_apart(text, start) else text
        return Reading(None, bare, bare.partition(" ")[0])


def _is_apart(text: str, start: int) -> bool:
    """Whether what ends at ``start`` is politeness and no part of a name: 看 SKU1 and 看SKU1, but not 看板."""
    return start != 1 or text[start].isascii()
