"""Sentences about a row of the current list: 第二个, 第二个什么价, "the last one"."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.chat.days import names_days
from bot.chat.parsing import split
from bot.chat.questions.reading import ReadBy, Reading, Understood
from bot.understanding.following.follow_up import FollowUp

_NUMERALS = "一二三四五六七八九十"
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
_ROW = re.compile(
    rf"(?:看看|看一下|看|打开|要|查|选|就)?第\s*(?P<chinese>[{_NUMERALS}]|\d{{1,2}})\s*(?:个|条|张|单|项|笔|行|种)?(?:吧|呢|的)?"
    rf"|(?:show |open )?(?:the )?(?P<english>{'|'.join(_ORDINALS)}|last)(?: one)?(?: please)?",
    re.IGNORECASE,
)


def is_a_row(follow_up: FollowUp) -> bool:
    """Return whether a text names a row, and nothing else; last purchase price names no row."""
    match = _match(follow_up.text)
    return match is not None and (match.end() == len(follow_up.text) or match[0].casefold().strip() != "last")


def without_row(text: str) -> str:
    """Return a text without its row."""
    return _ROW.sub(" ", text, count=1)


def _match(text: str) -> re.Match[str] | None:
    return None if names_days(text) else _ROW.match(text)


def of_a_row(follow_up: FollowUp) -> Reading | None:
    """Return the line that a row opens, or the question about it: 第二个什么价; None for other texts."""
    match = _match(follow_up.text)
    chosen = _row(follow_up, match) if match else None
    if match is None or chosen is None or match.end() == len(follow_up.text):
        return chosen
    grammar, rest = follow_up.grammar, follow_up.text[match.end() :].strip()
    subject = split(grammar.commands.parse(chosen.line).rest)[:1]
    asked = grammar.read(f"{subject[0]} {rest}", follow_up.usable) if subject and rest else None
    if asked is None or asked.unsure or not set(subject) <= set(split(grammar.commands.parse(asked.line).rest)):
        return None
    return replace(asked, by=ReadBy.CONTEXT, alternatives=())


def _row(follow_up: FollowUp, match: re.Match[str]) -> Reading | None:
    english, chinese, rows = (match["english"] or "").casefold(), match["chinese"] or "", follow_up.last.rows
    if english == "last":
        number = len(rows)
    elif english:
        number = _ORDINALS.index(english) + 1
    else:
        number = int(chinese) if chinese.isdecimal() else _NUMERALS.index(chinese) + 1
    if not 1 <= number <= len(rows):
        return None
    return follow_up.reading(rows[number - 1], Understood("row", match[0], str(number)))
