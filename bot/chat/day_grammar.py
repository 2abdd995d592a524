"""Reads days by the grammar `days.lark`: a whole text, or those that a sentence holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from lark import Lark
    from lark.parsers.lalr_interactive_parser import InteractiveParser

    from bot.chat.day_meanings import SaidDays

_WHOLE, _SOUGHT = "days", "period"
"""The rules of the grammar for a whole text, and for what is looked for in a sentence."""
_END = "$END"


def prepare_days() -> None:
    """Build the grammar: it takes some tenths of a second, for which the start does not wait."""
    for rule in (_WHOLE, _SOUGHT):
        _beginning(rule)


@lru_cache(maxsize=4096)
def parse_days(text: str) -> SaidDays | None:
    """Return what a lower-case text says of days; None for a text that says anything else."""
    if _beginning(_WHOLE).match(text) is None:
        return None
    from lark.exceptions import UnexpectedInput

    try:
        return cast("SaidDays", day_grammar().parse(text, start=_WHOLE))
    except UnexpectedInput:
        return None


def days_within(text: str) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield each place of a lower-case text that may begin days, with the ends that these may have, the longest
    first.
    """
    for match in _beginning(_SOUGHT).finditer(text):
        if ends := tuple(_ends(text, match.start())):
            yield match.start(), ends[::-1]


def _ends(text: str, start: int) -> Iterator[int]:
    """Yield the ends of the days that begin at a place."""
    from lark import TextSlice
    from lark.exceptions import UnexpectedInput

    parsing = day_grammar().parse_interactive(TextSlice(text, start, len(text)), start=_SOUGHT)
    end = start
    with suppress(UnexpectedInput):  # there the days end, and the sentence goes on
        for token in parsing.iter_parse():
            if _may_end(parsing):
                yield end
            end = cast("int", token.end_pos)
    if _may_end(parsing):
        yield end


def _may_end(parsing: InteractiveParser) -> bool:
    """Return whether what was read so far are days."""
    # Most of what cannot end has no such choice, and only an end that is tried shows the rest.
    if _END not in parsing.choices():
        return False
    from lark.exceptions import UnexpectedInput

    try:
        parsing.copy(deepcopy_values=False).feed_eof()
    except UnexpectedInput:
        return False
    return True


@cache
def _beginning(rule: str) -> re.Pattern[str]:
    """Return what begins any days: most of what is read begins none, and a word of Latin letters is whole."""
    grammar = day_grammar()
    begins = grammar.parse_interactive(start=rule).choices()
    words = (grammar.get_terminal(name).pattern.to_regexp() for name in begins if name.isupper())
    return re.compile(rf"(?<![a-z0-9])(?<![a-z0-9][-./×*])(?=(?:{'|'.join(words)}))")


@cache
def day_grammar() -> Lark:
    """Return the grammar."""
    # Imported here: it takes a tenth of a second.
    from lark import Lark

    from bot.chat.day_meanings import DayMeanings

    text = files("bot.chat").joinpath("days.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", start=[_WHOLE, _SOUGHT], transformer=DayMeanings())
