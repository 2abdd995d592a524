"""Days in everyday wording: 昨天, 上周五, 10月1号到15号, last week, "due tomorrow"; and the period that is meant.

Weeks begin on Monday. A day without its month or year is the nearest one: in the past for document dates, ahead for due
dates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Self

from bot.chat.arguments import Word
from bot.chat.calendar_periods import DAY, month_of
from bot.chat.day_expressions import ANY_EXPRESSION, match_expression, read_expression, read_same_days
from bot.chat.errors import BadArgument
from bot.erp.port import Period
from bot.words.phrase import phrase

_BETWEEN = r"\s*(?:到|至|~|—|－|\.\.|-(?=\s)|\bto\b|\buntil\b)\s*"
_BEFORE = "之前|以前|前(?![0-9一二三四五六七八九十几])"
"""Said after the last day; 今年前五 means the first five of this year."""
_SINCE = "以后|之后|以来|至今|到如今|起(?![床来运订飞诉重码批])"
"""Said after the first day: up to today for document dates, without an end for due dates."""
_AFTER = frozenset({"以后", "之后", "after"})
"""Those of them that exclude a longer period: 上个月以后 begins with this month, 11月20号以后 with that day."""
_YEARS_AHEAD = 10
"""How far ahead open-ended due dates reach: ERPs count with the day after the last one."""
_NOW = "现在|目前|now"
"""The end of a range, as an everyday word for today."""
_DAY_NUMBER = r"\d{1,2}(?:st|nd|rd|th)?"
_FOUND = (
    rf"(?<![a-z0-9])(?:between\ (?:{_DAY_NUMBER}|{ANY_EXPRESSION})\ and\ (?:{ANY_EXPRESSION})"
    rf"|从(?:{ANY_EXPRESSION})开始"
    rf"|(?:(?:by|before|since|after|from(?=.{{3,20}}\ on))\ )?(?:{ANY_EXPRESSION})"
    rf"(?:{_BETWEEN}(?:{ANY_EXPRESSION}|{_NOW})|{_BEFORE}|{_SINCE}|\ on(?:wards?)?(?![a-z]))?)"
)
_FROM_TO = re.compile(r"between\s+(?:(?P<day>\d{1,2})(?:st|nd|rd|th)?|(?P<first>.+?))\s+and\s+(?P<last>.+)")
_MONTH_IN_DIGITS = re.compile(r"(\d{4})[-/](1[0-2]|0?[1-9])")
_UNTIL = re.compile(rf"(?:by|before)\s+(?P<english>.+)|(?P<chinese>.+?)(?:{_BEFORE})")
_FROM = re.compile(
    r"(?P<english>since|after)\s+(?P<day>.+?)(?:\s+on(?:wards?)?)?"
    rf"|from\s+(?P<onwards>.+?)\s+on(?:wards?)?|[从自]?(?P<first>.+?)的?(?P<chinese>{_SINCE})|从(?P<begun>.+?)开始"
)
_RANGE = re.compile(rf"(?P<first>.+?){_BETWEEN}(?P<last>.+)")
_DUE = re.compile(r"^due\s+(?:on\s+|in\s+)?|(?:到期|要?交货?|到货|完工|应交|due)$")
_LONGEST = 48
_MOST_WORDS = 8
"""The most words of typed days: the last 7 days same period last year."""
_BESIDE = re.compile(r"(?P<base>.+?)(?:\s*[,，的]\s*|\s+|(?=[去上]))(?P<same>(?:the same |same |this time |去年|上).+)")
"""Days, and the same days of an earlier year, month or week."""
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
        return read_same_days(" ".join(self.casefold().split()), base)


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
    folded = _DUE.sub("", text.casefold()).strip()
    between = _RANGE.fullmatch(folded)
    ends = (between["first"], between["last"]) if between else (folded,)
    dated = [match.lastgroup in {"iso", "date", "dayofmonth"} for end in ends if (match := match_expression(end))]
    return len(dated) == len(ends) and all(dated) and any(read_expression(end, _LEAP_DAY) is None for end in ends)


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


@cache
def _days_within() -> re.Pattern[str]:
    # It takes 15 ms to build, and only sentences need it: typed commands and the start do not wait for it.
    return re.compile(_FOUND, re.VERBOSE)


def find_days(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of a lower-case text that name days, including nonexistent ones."""
    for match in _days_within().finditer(text):
        if names_days(match[0]) or names_missing_day(match[0]):
            yield match.span()
        elif (until := _UNTIL.fullmatch(match[0])) and until.lastgroup and names_days(until[until.lastgroup]):
            yield match.start() + until.start(until.lastgroup), match.start() + until.end(until.lastgroup)
        elif (since := _FROM.fullmatch(match[0])) and names_days(since[day := _first_day(since)]):
            yield match.start() + since.start(day), match.start() + since.end(day)


def read_days(text: str, today: date) -> DayRange | None:
    """Return the days in a text relative to ``today``; None if it contains anything else."""
    folded = " ".join(text.casefold().split())
    if not folded or len(folded) > _LONGEST:
        return None
    bare = _DUE.sub("", folded).strip()
    due = bare != folded
    period = read_expression(bare, today, ahead=due) or _range(bare, today, ahead=due) or _until(bare, today)
    period = period or _from_to(bare, today, ahead=due) or _since(bare, today, ahead=due) or _same_days(bare, today)
    return None if period is None else DayRange(period, due)


def _same_days(text: str, today: date) -> Period | None:
    """Return the days that 上周去年同期 means: those of last week, a year earlier; none in the future."""
    match = _BESIDE.fullmatch(text)
    base = read_expression(match["base"], today) if match else None
    if match is None or base is None:
        return None
    seen = Period(base.first, min(base.last, today)) if base.first <= today else base
    return read_same_days(match["same"], seen)


def names_same_days(text: str) -> bool:
    """Return whether a text names the same days of an earlier time, whichever they are: 去年同期."""
    return Days(text).beside(Period(_LEAP_DAY, _LEAP_DAY)) is not None


def _until(text: str, today: date) -> Period | None:
    """Return the days from today on: 月底前, "by Friday"; None for past ones."""
    match = _UNTIL.fullmatch(text)
    last = read_expression(match[match.lastgroup], today, ahead=True) if match and match.lastgroup else None
    return Period(today, last.last) if last and last.last >= today else None


def _since(text: str, today: date, *, ahead: bool) -> Period | None:
    """Return the days from a given one on: 11月20号以后, "since Monday"; for due dates, ten years ahead."""
    match = _FROM.fullmatch(text)
    first = read_expression(match[_first_day(match)], today, ahead=ahead) if match else None
    if match is None or first is None or first.last.year > date.max.year - 2 * _YEARS_AHEAD:
        return None
    said = match["chinese"] or match["english"]
    is_later = said == "after" or (said in _AFTER and first.first < first.last)
    begin = first.last + DAY if is_later else first.first
    if ahead or begin > today:
        return Period(begin, begin.replace(month=12, day=31, year=begin.year + _YEARS_AHEAD))
    return Period(begin, today)


def _first_day(match: re.Match[str]) -> str:
    """Return the group of the day from which a range starts."""
    return next(group for group in ("first", "begun", "onwards", "day") if match[group])


def _from_to(text: str, today: date, *, ahead: bool) -> Period | None:
    """Return the days of "between 1 and 15 November"."""
    match = _FROM_TO.fullmatch(text)
    last = read_expression(match["last"], today, ahead=ahead) if match else None
    if match is None or last is None:
        return None
    if match["day"] is None:
        first = read_expression(match["first"], today, ahead=ahead)
    else:
        first = read_expression(f"{last.first:%Y-%m}-{match['day']}", today)
    return Period(first.first, last.last) if first and first.first <= last.last else None


def _range(text: str, today: date, *, ahead: bool) -> Period | None:
    match = _RANGE.fullmatch(text)
    if match is None:
        return None
    first = read_expression(match["first"], today, ahead=ahead)
    if first is None:
        return None
    if re.fullmatch(_NOW, match["last"]):
        return Period(first.first, today) if first.first <= today else None
    # 10月1号到15号: the end is the next such day after the start, while 今天 is today.
    last = (
        read_expression(match["last"], first.first, ahead=True)
        if _is_incomplete(match["last"])
        else read_expression(match["last"], today)
    )
    if last is None or last.last < first.first:
        return None
    return Period(first.first, last.last)


def _is_incomplete(text: str) -> bool:
    match = match_expression(text)
    return match is not None and match.lastgroup in {"monthday", "date", "weekday"}
