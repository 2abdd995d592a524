"""Days in everyday wording: 昨天, 上周五, 10月1号到15号, last week, "due tomorrow"; and the period that is meant.

Weeks begin on Monday. A day without its month or year is the nearest one: in the past for document dates, ahead for due
dates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Self

from bot.chat.arguments import Word
from bot.chat.calendar_periods import earlier, month_of
from bot.chat.day_grammar import days_within, parse_days
from bot.chat.day_meanings import SaidDays
from bot.chat.errors import BadArgument
from bot.erp.port import Period
from bot.words.phrase import phrase

_MONTH_IN_DIGITS = re.compile(r"(\d{4})[-/](1[0-2]|0?[1-9])")
_LONGEST = 48
_MOST_WORDS = 8
"""The most words of typed days: the last 7 days same period last year."""
_LEAP_DAY = date(2024, 2, 29)
"""A day on which every day of a year can be named."""


@dataclass(frozen=True, slots=True)
class DayRange:
    """The days of a list: ``due`` if they are due dates instead of document dates."""

    period: Period
    due: bool = False

    @property
    def typed(self) -> str:
        """The days as typed, independent of today."""
        first, last = self.period.first, self.period.last
        days = f"{first}" if first == last else f"{first}..{last}"
        return f"due {days}" if self.due else days

    @property
    def during(self) -> Period | None:
        """The period of document dates."""
        return None if self.due else self.period

    @property
    def due_in(self) -> Period | None:
        """The period of due dates."""
        return self.period if self.due else None


def asked_days(days: Days | None, today: date, *, late: bool = False) -> DayRange | None:
    """Return the days that restrict a list.

    ``late`` documents are shown with their due dates, so the days are those: 11月逾期的发票 were due in November. Today
    restricts nothing: documents due today are not late yet, and people ask what is late now.
    """
    asked = days.within(today) if days else None
    if asked is None or not late:
        return asked
    return None if asked.period == Period(today, today) else replace(asked, due=True)


class Days(Word):
    """Days that restrict a list, typed anywhere in a line: 本月, 上周到期, "last week", "due tomorrow"."""

    placeholder = phrase("days")
    anywhere = True

    @classmethod
    def take_marked(cls, words: list[str]) -> Self | None:
        """Take the words for days out of a line; raises `BadArgument` for a nonexistent day."""
        for size in range(_MOST_WORDS, 0, -1):
            for i in range(len(words) - size + 1):
                text = " ".join(words[i : i + size])
                if names_days(text):
                    del words[i : i + size]
                    return cls(text)
        for word in words:
            if names_missing_day(word):
                raise missing_day(word)
        return None

    def within(self, today: date) -> DayRange:
        """Return the days meant on a day; raises `BadArgument` for the 29th of February in a year without one."""
        found = read_days(self, today)
        if found is None:
            raise missing_day(self)
        return found

    def beside(self, base: Period) -> Period | None:
        """Return the days that 去年同期 means relative to ``base``; None for self-contained expressions."""
        said = _said(self)
        return earlier(said.same, base) if said and said.same else None


class DaysOrMonth(Days):
    """Days, and a month in digits such as 2026-10: for commands without document numbers, which look the same."""

    @classmethod
    def take_marked(cls, words: list[str]) -> Self | None:
        """Take the words for days or a month out of a line."""
        month = next((word for word in words if names_month_in_digits(word)), None)
        if month is None:
            return super().take_marked(words)
        words.remove(month)
        return cls(month)

    def within(self, today: date) -> DayRange:
        """Return the days meant on a day."""
        match = _MONTH_IN_DIGITS.fullmatch(self)
        return DayRange(month_of(int(match[1]), int(match[2]))) if match else super().within(today)


def names_month_in_digits(text: str) -> bool:
    """Return whether a text is a month such as 2026-10; alone that may also be a document number."""
    return _MONTH_IN_DIGITS.fullmatch(text) is not None


def names_days(text: str) -> bool:
    """Return whether a text names days and nothing else."""
    return read_days(text, _LEAP_DAY) is not None


def names_missing_day(text: str) -> bool:
    """Return whether a text contains a nonexistent date, such as 2月31号."""
    said = _said(text)
    try:
        if said and said.dated:
            said.read(_LEAP_DAY, said.due)
    except ValueError:
        return True
    return False


def missing_day(text: str) -> BadArgument:
    """Return the error for nonexistent days."""
    return BadArgument(phrase("There is no day “%(day)s”.", day=text))


def names_days_ahead(text: str) -> bool:
    """Return whether the days in a text are always in the future: 明天, 下周, "next month"."""
    days = (date(2024, 1, 31), date(2999, 12, 31))
    return all(
        (found := read_days(text, today)) is not None and found.period.first >= today < found.period.last
        for today in days
    )


def names_days_over(text: str) -> bool:
    """Return whether the days in a text are always in the past: 昨天, 上周, "last month"."""
    days = (date(2024, 1, 31), date(2999, 12, 31))
    return all((found := read_days(text, today)) is not None and found.period.last < today for today in days)


def names_days_due_later(text: str) -> bool:
    """Return whether a text names due dates that are never past: 今天到期."""
    days = (date(2024, 1, 31), date(2999, 12, 31))
    return all(
        (found := read_days(text, today)) is not None and found.due and found.period.last >= today for today in days
    )


def find_days(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of a lower-case text that name days, including nonexistent ones."""
    last = 0
    for start, ends in days_within(text):
        said = (text[start:end] for end in ends)
        found = next((each for each in said if names_days(each) or names_missing_day(each)), "")
        if start >= last and found:
            last = start + len(found)
            yield start, last


def read_days(text: str, today: date) -> DayRange | None:
    """Return the days in a text relative to ``today``; None if it contains anything else."""
    said = _said(text)
    try:
        period = said and said.read(today, said.due)
    except (ValueError, OverflowError):  # there is no 31st of February
        return None
    return DayRange(period, said.due) if said and period else None


def _said(text: str) -> SaidDays | None:
    folded = " ".join(text.casefold().split())
    return parse_days(folded) if 0 < len(folded) <= _LONGEST else None


def names_same_days(text: str) -> bool:
    """Return whether a text names the same days of an earlier time, whichever they are: 去年同期."""
    return Days(text).beside(Period(_LEAP_DAY, _LEAP_DAY)) is not None
