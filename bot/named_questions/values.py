"""From what was typed for a question's arguments to the values that its query is asked with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from bot.chat.amounts import read_figure
from bot.chat.arguments import shortened
from bot.chat.days import DaysOrMonth
from bot.chat.errors import BadArgument
from bot.erp.named_queries import QueryValue
from bot.named_questions.question import TODAY, ArgumentKind, NamedArgument, NamedQuestion
from bot.words.phrase import phrase

_ESCAPE = str.maketrans({char: f"!{char}" for char in "!%_"})
"""For ``LIKE :text_like ESCAPE '!'``: databases do not agree on backslashes."""


def read_words(question: NamedQuestion, text: str, language: str) -> Mapping[str, str]:
    """Return the words for each argument in what was typed behind a question's name; raises `BadArgument`."""
    positional, named = question.signature(language).parse(text)
    assert not positional, "arguments are known by their names"
    return {name: word for name, word in named.items() if isinstance(word, str)}


def values_of(question: NamedQuestion, words: Mapping[str, str], today: date) -> Mapping[str, QueryValue]:
    """Return what the query is asked with; raises `BadArgument` for words that are no value of their argument."""
    return MappingProxyType(
        {TODAY: today}
        | {
            name: value
            for each in question.arguments
            for name, value in zip(each.parameters, _values(each, words[each.name], today), strict=True)
        }
    )


def _values(argument: NamedArgument, word: str, today: date) -> tuple[QueryValue, ...]:
    match argument.kind:
        case ArgumentKind.DAYS:
            period = DaysOrMonth(word).within(today).period
            return period.first, period.last
        case ArgumentKind.DAY:
            period = DaysOrMonth(word).within(today).period
            if period.first != period.last:
                raise BadArgument(phrase("“%(word)s” is more than one day.", word=shortened(word)))
            return (period.first,)
        case ArgumentKind.NUMBER:
            return (_figure(word),)
        case _:
            if "\0" in word:
                raise BadArgument(phrase("“%(word)s” was not understood.", word=shortened(word)))
            return word, f"%{word.translate(_ESCAPE)}%"


def _figure(word: str) -> Decimal:
    found = read_figure(word)
    if found is None:
        raise BadArgument(phrase("“%(word)s” is no number.", word=shortened(word)))
    return found
