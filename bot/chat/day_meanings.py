"""The days that each rule of the grammar of days means (`days.lark`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from lark import Token, Transformer, v_args

from bot.chat.calendar_periods import (
    DAY,
    earlier,
    month_of,
    nearest_month,
    one_day,
    quarter_of,
    stretch,
    weekday_of,
    year_of,
)
from bot.chat.numerals import DIGITS, read_numerals
from bot.erp.port import Period

Reads = Callable[[date, bool], Period | None]
"""From today, and whether a day without its month or year lies ahead, to the period. None: the days contradict one
another. Raises `ValueError` for a day that does not exist, and `OverflowError` for one beyond the calendar.
"""

_ENGLISH_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_WEEKDAYS = {sign: value for value, sign in enumerate("一二三四五六")} | {"日": 6, "天": 6}
_ENGLISH_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ENGLISH_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_OFFSETS = {
    **dict.fromkeys(("上上", "再上"), -2),
    **dict.fromkeys(("上", "last"), -1),
    **dict.fromkeys(("本", "这", "当", "this"), 0),
    **dict.fromkeys(("下", "next"), 1),
    "下下": 2,
}
_NAMED = {
    **dict.fromkeys(("今天", "今日", "今儿个", "今儿", "当天", "today"), 0),
    **dict.fromkeys(("昨天", "昨日", "昨儿个", "昨儿", "yesterday"), -1),
    **dict.fromkeys(("前天", "the day before yesterday"), -2),
    **dict.fromkeys(("明天", "明日", "明儿个", "明儿", "tomorrow"), 1),
    **dict.fromkeys(("后天", "the day after tomorrow"), 2),
    "大后天": 3,
    "大前天": -3,
}
_NAMED_YEARS = {"前年": -2, "去年": -1, "上年": -1, "今年": 0, "本年": 0, "明年": 1}
_THIRDS = {**dict.fromkeys("初上", 0), "中": 1, **dict.fromkeys("底末下", 2)}
_UNITS = {
    "d": "天",
    **dict.fromkeys("w周星礼", "周"),
    **dict.fromkeys("m月", "月"),
    **dict.fromkeys("q季", "季度"),
    "y": "年",
}
_LONGER_UNITS = ("周", "星期", "礼拜", "week", "季", "quarter", "月", "month")
_YEARS_AHEAD = 10
"""How far ahead open-ended due dates reach: ERPs count with the day after the last one."""
_AFTER = ("以后", "之后", "after")
"""Those exclude a longer period: 上个月以后 begins with this month, 11月20号以后 with that day."""
_FESTIVALS = {
    "元旦": ("New Year's Day", (1, 1), (1, 1)),
    "春节": ("Spring Festival", None, None),
    "清明": ("Tomb-sweeping Day", None, None),
    "端午": ("Dragon Boat Festival", None, None),
    "中秋": ("Mid-autumn Festival", None, None),
    "五一": ("Labour Day", (5, 1), (5, 5)),
    "国庆": ("National Day", (10, 1), (10, 7)),
    "十一": ("National Day", (10, 1), (10, 7)),
    "双十一": ("", (11, 11), (11, 11)),
    "双11": ("", (11, 11), (11, 11)),
    "双十二": ("", (12, 12), (12, 12)),
    "双12": ("", (12, 12), (12, 12)),
    "national": ("National Day", (10, 1), (10, 7)),
    "chinese": ("Spring Festival", None, None),
    "spring": ("Spring Festival", None, None),
}
"""Their name in the calendar of holidays; the first and last day of a year that is not announced, as the law has it."""


@dataclass(frozen=True, slots=True)
class SaidDays:
    """Days as they are said, whatever day it is."""

    read: Reads
    dated: bool = False
    """A date, which may not exist: 2月30号."""
    completed: bool = False
    """As the end of a range, the next one after its beginning: 10月1号到15号."""
    due: bool = False
    same: str = ""
    """The days of an earlier time that are named beside others: 去年同期."""


@v_args(inline=True)
class DayMeanings(Transformer[Token, SaidDays]):
    """Makes what a rule means; its methods are named as the rules of the grammar."""

    def due(self, days: SaidDays) -> SaidDays:
        return replace(days, due=True)

    # Days from one to another
    def stretch(self, first: SaidDays, last: SaidDays) -> SaidDays:
        def read(today: date, ahead: bool) -> Period | None:
            begin = first.read(today, ahead)
            end = None if begin is None else last.read(*((begin.first, True) if last.completed else (today, False)))
            return None if begin is None or end is None or end.last < begin.first else Period(begin.first, end.last)

        return SaidDays(read, dated=first.dated and last.dated)

    def until_now(self, first: SaidDays) -> SaidDays:
        return self.stretch(first, SaidDays(lambda today, _: one_day(today)))

    def first_of_month(self, day: Token, last: SaidDays) -> SaidDays:
        def read(today: date, ahead: bool) -> Period | None:
            end = last.read(today, ahead)
            begin = end and end.first.replace(day=_number(day))
            return Period(begin, end.last) if end and begin and begin <= end.last else None

        return SaidDays(read)

    def months(self, first: Token, last: Token) -> SaidDays:
        return self.stretch(_month(first), _month(last))

    def monthdays(self, first: Token, last: Token) -> SaidDays:
        return self.stretch(self.monthday(first), self.monthday(last))

    def days_of_month(self, month: SaidDays, first: Token, last: Token) -> SaidDays:
        return self.stretch(self.day_of_month(month, first), self.day_of_month(month, last))

    def days_of_english_month(self, first: Token, last: Token, month: Token, year: Token | None = None) -> SaidDays:
        return self.days_of_month(self.english_month(month, year), first, last)

    def english_month_with_days(self, month: Token, first: Token, last: Token, year: Token | None = None) -> SaidDays:
        return self.days_of_month(self.english_month(month, year), first, last)

    def dotted_days(self, first: Token, last: Token) -> SaidDays:
        return self.stretch(self.dotted(first), self.dotted(last))

    def slashed_days(self, said: Token) -> SaidDays:
        first, second, third, fourth = map(int, re.findall(r"[0-9]+", said))
        if max(first, third) > 12:
            first, second, third, fourth = second, first, fourth, third
        elif max(second, fourth) <= 12 and not re.search("[到至]", said):
            return SaidDays(_unclear)
        return self.stretch(self.day_of_month(_month(first), second), self.day_of_month(_month(third), fourth))

    def until(self, last: SaidDays) -> SaidDays:
        """From today on: 月底前, "by Friday"."""

        def read(today: date, _ahead: bool) -> Period | None:
            end = last.read(today, True)
            return Period(today, end.last) if end and end.last >= today else None

        return SaidDays(read)

    def since(self, first: SaidDays, said: str = "") -> SaidDays:
        """Up to today: 11月20号以后, "since Monday"; for due dates, and for days ahead, ten years from then."""

        def read(today: date, ahead: bool) -> Period | None:
            days = first.read(today, ahead)
            if days is None or days.last.year > date.max.year - 2 * _YEARS_AHEAD:
                return None
            is_later = said == "after" or (said.endswith(_AFTER) and days.first < days.last)
            begin = days.last + DAY if is_later else days.first
            if ahead or begin > today:
                return Period(begin, begin.replace(month=12, day=31, year=begin.year + _YEARS_AHEAD))
            return Period(begin, today)

        return SaidDays(read)

    def after(self, said: Token, first: SaidDays) -> SaidDays:
        return self.since(first, said)

    # The same days of an earlier time
    def same(self, said: Token) -> SaidDays:
        """Alone: those of this month so far, or of this quarter or week."""

        unit = _unit_in(said)
        alone = _shifted({"年": "月"}.get(unit, unit), 0)

        def read(today: date, ahead: bool) -> Period | None:
            days = alone.read(today, ahead)
            return days and earlier(unit, Period(days.first, today))

        return SaidDays(read, same=unit)

    def same_of(self, base: SaidDays, said: Token) -> SaidDays:
        """Beside others: 上周去年同期; none of them in the future."""

        def read(today: date, _ahead: bool) -> Period | None:
            days = base.read(today, False)
            return days and earlier(
                _unit_in(said), Period(days.first, min(days.last, today)) if days.first <= today else days
            )

        return SaidDays(read)

    def same_day(self, said: Token) -> SaidDays:
        return SaidDays(lambda today, _: earlier(_unit_in(said), one_day(today)))

    def same_month(self, _said: Token) -> SaidDays:
        return SaidDays(lambda today, _: month_of(today.year - 1, today.month))

    # Dates
    def iso(self, said: Token) -> SaidDays:
        return SaidDays(lambda *_: one_day(date(*map(int, re.split(r"[-/.]", said)))), dated=True)

    def slashed(self, said: Token) -> SaidDays:
        first, second, *year = map(int, said.split("/"))
        month, day = (first, second) if first <= 12 else (second, first)
        return self.day_of_month(_month(month, f"{year[0]}年" if year else None), day)

    def dotted(self, said: Token) -> SaidDays:
        month, day = map(int, said.split("."))
        return self.day_of_month(_month(month), day)

    def day_of_month(self, month: SaidDays, day: Token | int) -> SaidDays:
        def read(today: date, ahead: bool) -> Period | None:
            days = month.read(today, ahead)
            return days and one_day(days.first.replace(day=_number(day)))

        return SaidDays(read, dated=True, completed=month.completed)

    def monthday(self, day: Token) -> SaidDays:
        """The nearest day of that number: on the 2nd, 3号 is a month ago for the past, tomorrow for due dates."""

        def read(today: date, ahead: bool) -> Period:
            wanted = _number(day)
            for months in range(4):
                month = month_of(today.year, today.month + (months if ahead else -months))
                if 1 <= wanted <= month.last.day:
                    found = month.first.replace(day=wanted)
                    if (found >= today) if ahead else (found <= today):
                        return one_day(found)
            raise ValueError(day)

        return SaidDays(read, completed=True)

    def english_day(self, day: Token, month: Token, year: Token | None = None) -> SaidDays:
        return self.day_of_month(self.english_month(month, year), day)

    def day_in_english(self, month: Token, day: Token, year: Token | None = None) -> SaidDays:
        return self.english_day(day, month, year)

    def named(self, said: Token) -> SaidDays:
        return SaidDays(lambda today, _: one_day(today + _NAMED[said] * DAY))

    # Weeks
    def weekday(self, *said: Token) -> SaidDays:
        return _weekday(_WEEKDAYS[said[-1][-1]], said[0] if said[1:] else "")

    def english_weekday(self, *said: Token) -> SaidDays:
        return _weekday(_ENGLISH_WEEKDAYS.index(said[-1]), said[0] if said[1:] else "")

    def weekend(self, shift: Token) -> SaidDays:
        return _of(_shifted("周", _OFFSETS[shift]), lambda week: Period(week.first + 5 * DAY, week.last))

    # Months and their parts
    def month_of_number(self, *said: Token) -> SaidDays:
        return _month(said[-1], said[0] if said[1:] else None)

    def shifted(self, shift: str, unit: str = "月") -> SaidDays:
        """上周, 本月, "next quarter"; the past week are the last seven days."""
        unit = _UNITS.get(unit[0], unit)
        return _length("1", unit) if shift == "past" else _shifted(unit, _OFFSETS[shift])

    def this_period(self, unit: Token) -> SaidDays:
        return self.shifted("this", unit)

    def english_month(self, month: Token, year: Token | None = None) -> SaidDays:
        number = 1 + _ENGLISH_MONTHS.index(month[:3])
        return _month(number, year and f"{_number(year)}年")

    def third_of_this_month(self, part: Token) -> SaidDays:
        return self.third(_shifted("月", 0), part)

    def third(self, month: SaidDays, part: Token) -> SaidDays:
        """上旬 or 月初 up to the 10th, 中旬 up to the 20th, 下旬 or 月底 to the end of the month."""
        number = _THIRDS[part[0]]

        def of(days: Period) -> Period:
            first = days.first + 10 * number * DAY
            return Period(first, days.last if number == 2 else first + 9 * DAY)

        return _of(month, of)

    def part(self, month: SaidDays, said: Token) -> SaidDays:
        """The first or last seven days, a half, or for the end the last ten days."""
        second = re.search("最后|下半|后半|last|second", said) is not None

        def of(days: Period) -> Period:
            if "end" in said:
                return Period(max(days.first, days.last - 9 * DAY), days.last)  # a week is its own end
            if "半" in said or "half" in said:
                middle = _middle(days)
                return Period(middle + DAY, days.last) if second else Period(days.first, middle)
            return Period(days.last - 6 * DAY, days.last) if second else Period(days.first, days.first + 6 * DAY)

        return _of(month, of)

    def part_of(self, said: Token, month: SaidDays | Token) -> SaidDays:
        return self.part(self.english_month(month) if isinstance(month, Token) else month, said)

    # Quarters and years
    def quarter(self, *said: Token) -> SaidDays:
        number = re.search("[一二三四1-4]", said[-1])
        assert number is not None
        year = said[0] if said[1:] else None
        return SaidDays(lambda today, _: quarter_of(_year(year, today), _number(number[0]) - 1))

    def quarter_of(self, number: Token, year: Token) -> SaidDays:
        return self.quarter(year, number)

    def half_year(self, *said: Token) -> SaidDays:
        def read(today: date, _ahead: bool) -> Period:
            year = year_of(_year(said[0] if said[1:] else None, today))
            middle = date(year.first.year, 7, 1)
            return Period(middle, year.last) if "下" in said[-1] else Period(year.first, middle - DAY)

        return SaidDays(read)

    def year(self, said: Token) -> SaidDays:
        return SaidDays(lambda today, _: year_of(_year(said, today)), dated=said.type == "YEAR_NUMBER")

    def festival(self, *said: Token) -> SaidDays:
        """The days off; without a year the nearest."""
        name = next(name for name in sorted(_FESTIVALS, key=len, reverse=True) if said[-1].startswith(name))

        def read(today: date, ahead: bool) -> Period:
            if said[1:]:
                return _festival(name, _year(said[0], today))
            days = _festival(name, today.year)
            if ahead:
                return days if days.last >= today else _festival(name, today.year + 1)
            return days if days.first <= today else _festival(name, today.year - 1)

        return SaidDays(read)

    # Lengths of time
    def count(self, number: Token, unit: Token) -> tuple[str, str]:
        if number == "半":
            return ("6", "月") if unit == "年" else ("15", "天")
        return number, unit.removeprefix("个")

    def back(self, *said: Token | tuple[str, str]) -> SaidDays:
        return _length(*said[-1])

    def ahead(self, _said: Token, count: tuple[str, str]) -> SaidDays:
        return _length(*count, ahead=True)

    def within_days(self, number: Token) -> SaidDays:
        return _length(number, "天")

    def within_months(self, number: Token) -> SaidDays:
        return _length(number, "月")

    def english_count(self, shift: Token, number: Token, unit: Token) -> SaidDays:
        return _length(number, _UNITS[unit[0]], ahead=shift == "next")

    def before_last(self, said: Token) -> SaidDays:
        return _shifted(_UNITS[said[len("the ")]], -2)


def _unclear(_today: date, _ahead: bool) -> None:
    """Read days that may be either of two."""


def _middle(days: Period) -> date:
    """Return the last day of the first half: the 15th of a month, and the 30th of June of a year."""
    if days.first.month == days.last.month:
        return days.first + 14 * DAY
    half = days.first + (days.last - days.first) // 2
    return half - half.day * DAY if days.first.month == 1 and days.last.month == 12 else half


def _of(days: SaidDays, part: Callable[[Period], Period]) -> SaidDays:
    """Return a part of days."""

    def read(today: date, ahead: bool) -> Period | None:
        whole = days.read(today, ahead)
        return whole and part(whole)

    return SaidDays(read)


def _month(number: Token | int, year: str | None = None) -> SaidDays:
    """Return a month; without a year the nearest."""

    def read(today: date, ahead: bool) -> Period:
        if year:
            return month_of(_year(year, today), _number(number), within_year=True)
        return nearest_month(_number(number), today, ahead=ahead)

    return SaidDays(read, dated=True, completed=not year)


def _weekday(wanted: int, shift: str) -> SaidDays:
    weeks = _OFFSETS[shift] if shift else None
    return SaidDays(
        lambda today, ahead: one_day(weekday_of(today, wanted, weeks, ahead=ahead)), completed=weeks is None
    )


def _shifted(unit: str, shift: int) -> SaidDays:
    """Return a whole week, month, quarter or year, so many from this one."""

    def read(today: date, _ahead: bool) -> Period:
        match unit:
            case "周":
                monday = today + (7 * shift - today.weekday()) * DAY
                return Period(monday, monday + 6 * DAY)
            case "月":
                return month_of(today.year, today.month + shift)
            case "年":
                return year_of(today.year + shift)
            case _:
                return quarter_of(today.year, (today.month - 1) // 3 + shift)

    return SaidDays(read)


def _unit_in(said: str) -> str:
    """Return the unit of 去年同期, "this time last month": 年, 季度, 月 or 周."""
    return next((_UNITS[sign[0]] for sign in _LONGER_UNITS if sign in said), "年")


def _length(number: str, unit: str, *, ahead: bool | None = None) -> SaidDays:
    """Return this many days, weeks or months; unless said, due dates lie ahead and others behind."""
    return SaidDays(lambda today, due: stretch(today, _number(number), unit, ahead=due if ahead is None else ahead))


@cache
def _festival(name: str, year: int) -> Period:
    """Return the days off of a year; raises `ValueError` where they are neither announced nor said by law."""
    # Imported here: only festivals need the table of holidays.
    from chinese_calendar.constants import holidays  # type: ignore[import-untyped]  # it has none

    called, first, last = _FESTIVALS[name]
    # The days off of New Year may begin in the year before.
    season = Period(date(year - 1, 12, 15), date(year, 12, 14))
    announced = [day for day, each in holidays.items() if each == called and season.first <= day <= season.last]
    if announced:
        return Period(min(announced), max(announced))
    if first is None or last is None:
        raise ValueError(year)
    return Period(date(year, *first), date(year, *last))


def _year(said: str | None, today: date) -> int:
    """Return the year of 去年 or 2025年; this one if none is named."""
    if said is None:
        return today.year
    if said in _NAMED_YEARS:
        return today.year + _NAMED_YEARS[said]
    return int("".join(str(DIGITS.get(sign, sign)) for sign in said.removesuffix("年")))


def _number(text: Token | str | int) -> int:
    """Return a number up to 99 in digits or Chinese characters, or an English one; raises `ValueError` for others."""
    if isinstance(text, int):
        return text
    if text in _ENGLISH_NUMBERS:
        return 1 + _ENGLISH_NUMBERS.index(text)
    digits = text.strip(", stndrh")
    if digits.isdecimal():
        return int(digits)
    number = read_numerals(text)
    if number is None:
        raise ValueError(text)
    return number
