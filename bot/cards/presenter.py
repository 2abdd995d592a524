"""Values as markdown for one reader: in their language and time zone, escaped."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any

from bot.cards.escape import WORD_JOINER, Markdown, clean, escape, escape_text
from bot.cards.language import Language, fill_params
from bot.erp.model import Money
from bot.words.disclosure import HIDDEN
from bot.words.phrase import Phrase

MAX_PHRASE = 400
"""Characters of a phrase with its parameters, each of which is cut like any ERP text."""

Formatter = Callable[..., Markdown]


class Presenter:
    """Turns anything that is in ``{{ }}`` into markdown that shows it literally.

    The same figures, units and days come again and again, so their text is cached. Cache keys are equal only where
    the values look the same to this reader.
    """

    def __init__(self, language: Language, zone: dt.tzinfo, now: Callable[[], dt.datetime] | None = None) -> None:
        """``now`` tells the year that dates are shown without; where nobody tells it, each has its year."""
        self.language = language
        self.zone = zone
        self._now = now
        self.number = _cached(language.number)
        self.quantity = _cached(language.quantity)
        self.money = _cached(language.money)
        self.price = _cached(language.price)
        self.date = self._with_year(_cached(language.date))
        self.day = _unbroken(self._with_year(_cached(language.day)))
        self.days = _cached(language.days)
        self.time = _to_the_minute(_cached(self._time))
        self.datetime = _to_the_minute(self._with_year(_cached(self._datetime)))
        self._state = _cached(self.show, typed=True)
        self._count = _cached(self._counted)
        self._by_type: dict[type, Formatter] = {
            str: escape_text,
            Decimal: self.number,
            int: self.number,
            Money: self.money,
            dt.date: self.date,
            dt.datetime: self.datetime,
            Phrase: lambda phrase: escape_text(self.show(phrase), MAX_PHRASE),
        }
        self.fixed = _Fixed(language)

    def show(self, value: object) -> str:
        """Return a value as plain text, not escaped."""
        if type(value) is str:
            return value
        if isinstance(value, dt.datetime):
            return self._datetime(value, self._year())
        if isinstance(value, dt.date):
            return self.language.date(value, self._year())
        if isinstance(value, Phrase):
            return self.language.say(value, self._show_inside)
        return self.language.show(value)

    def _show_inside(self, value: object) -> str:
        return clean(self.show(value))

    def present(self, value: object) -> Markdown:
        """Return a value as markdown; what is markdown already passes unchanged."""
        kind = type(value)
        if kind is Markdown:
            return value  # type: ignore[return-value]  # mypy does not narrow by type()
        formatter = self._by_type.get(kind)
        if formatter is None:
            # Members of an enum, subclasses of str, and whatever else a view holds.
            formatter = self._by_type[kind] = self._state if issubclass(kind, Enum) else self._other
        return formatter(value)

    def _other(self, value: object) -> Markdown:
        return escape(self.show(value))

    def part(self, value: object) -> Markdown:
        """Return a value as a part of a longer text: a plain text keeps one blank at either end."""
        if type(value) is not str:
            return self.present(value)
        before, after = value[:1].isspace(), value[-1:].isspace() and bool(value.strip())
        return Markdown(f"{' ' if before else ''}{escape_text(value)}{' ' if after else ''}")

    def gettext(self, msgid: str, **params: object) -> Markdown:
        """Translate a message of a template; its parameters are escaped, its own markdown is not."""
        return (
            Markdown(fill_params(self.language.gettext(msgid), params, self.present)) if params else self.fixed[msgid]
        )

    def ngettext(self, one: str, many: str, num: int, **params: object) -> Markdown:
        """Translate a message with a number; ``num`` is always one of its parameters."""
        if not params and type(num) is int:
            return self._count(one, many, num)
        return self._counted(one, many, num, **params)

    def _counted(self, one: str, many: str, num: int, **params: object) -> Markdown:
        return Markdown(fill_params(self.language.ngettext(one, many, num), {"num": num, **params}, self.present))

    def _datetime(self, value: dt.datetime | None, year: int | None) -> str:
        return self.language.datetime(value.astimezone(self.zone) if value is not None else None, year)

    def _year(self) -> int | None:
        return self._now().astimezone(self.zone).year if self._now else None

    def _with_year(self, formatter: Formatter) -> Formatter:
        return lambda value: formatter(value, self._year())

    def _time(self, value: dt.datetime | None) -> str:
        return f"{value.astimezone(self.zone):%H:%M}" if value is not None else self.language.show(None)


class _Fixed(dict[str, Markdown]):
    """Messages without parameters, translated when first needed."""

    def __init__(self, language: Language) -> None:
        super().__init__()
        self._language = language

    def __missing__(self, msgid: str) -> Markdown:
        return self.setdefault(msgid, Markdown(self._language.gettext(msgid) % {}))


def _cached(show: Callable[..., str], *, typed: bool = False) -> Formatter:
    """Return ``show``, escaped and cached; ``typed``: equal values of different types are shown differently."""

    @lru_cache(maxsize=4096, typed=typed)
    def formatter(*values: Any) -> Markdown:
        return escape(str(HIDDEN) if values[0] is HIDDEN else show(*values))

    return formatter


_WITHIN_DAY = re.compile(r"(?<=\d)(?=[^\W\d])|(?<=[^\W\d])(?=\d)")


def _unbroken(formatter: Formatter) -> Formatter:
    """Return ``formatter`` for days that stay on one line: 11月4日 must not break after its 11."""
    return lambda value: Markdown(_WITHIN_DAY.sub(WORD_JOINER, formatter(value)).replace(" ", "\xa0"))


def _to_the_minute(formatter: Formatter) -> Formatter:
    """Return ``formatter`` for times without the seconds, which it does not show, for more hits of the cache."""

    def rounded(value: dt.datetime | None) -> Markdown:
        return formatter(value and value.replace(second=0, microsecond=0))

    return rounded
