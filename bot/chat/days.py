"""Days as people say them: 昨天, 上周五, 10月1号到15号, last week, "due tomorrow"; and the period that is meant.

Weeks begin on Monday. A day without its month or year is the nearest one: behind for what a document is dated by, ahead
for what is due.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Self

from bot.chat.arguments import Word
from bot.chat.errors import BadArgument
from bot.erp.port import Period
from bot.phrase import phrase

_DAY = timedelta(days=1)
_NUMERALS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_WEEKDAYS = {sign: value for value, sign in enumerate("一二三四五六")} | {"日": 6, "天": 6, "末": 6}
_ENGLISH_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ENGLISH_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_AMBIGUOUS_MONTHS = frozenset({"may", "march"})
"""Months that are words of their own unless a year follows."""
_OFFSETS = {"上上": -2, "上": -1, "last": -1, "本": 0, "这": 0, "当": 0, "this": 0, "下": 1, "next": 1, "下下": 2}
_NAMED_DAYS = {
    **dict.fromkeys(("今天", "今日", "今儿个", "今儿", "当天", "today"), 0),
    **dict.fromkeys(("昨天", "昨日", "昨儿个", "昨儿", "yesterday"), -1),
    **dict.fromkeys(("前天", "the day before yesterday"), -2),
    **dict.fromkeys(("明天", "明日", "明儿个", "明儿", "tomorrow"), 1),
    **dict.fromkeys(("后天", "the day after tomorrow"), 2),
    "大后天": 3,
    "大前天": -3,
}
_NAMED_YEARS = {"前年": -2, "去年": -1, "今年": 0, "本年": 0, "明年": 1}
_THIRDS = {**dict.fromkeys("初上", 0), "中": 1, **dict.fromkeys("底末下", 2)}
"""The parts of a month: 上旬, 中旬, 下旬."""

_NUMBER = "[0-9]{1,3}|[一二两三四五六七八九十]{1,3}"
_WORDS = "|".join(sorted((*_NAMED_DAYS, *_NAMED_YEARS), key=len, reverse=True))
_MONTH = "|".join((*_ENGLISH_MONTHS, *(month[:3] for month in _ENGLISH_MONTHS)))
_SHIFT = "上上|上|本|这|当|下下|下"
_UNIT = "天|日|个?星期|周|个?月|个?季度|年"
_SINGLE = rf"""
    (?P<iso>\d{{4}}[-/.](?:1[0-2]|0?[1-9])[-/.](?:3[01]|[12]\d|0?[1-9])(?!\d))
  | (?P<dayofmonth>
        (?:3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?\ (?:of\ )?(?:{_MONTH})(?:\ \d{{4}})?(?![a-z0-9])
      | (?:{_MONTH})\ (?:3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?(?:,?\ \d{{4}})?(?![a-z0-9])
    )
  | (?P<named>(?:{_WORDS})(?!的?(?:(?:{_NUMBER})月|第?[一二三四1-4]季|[上下]半年|q[1-4])))
  | (?P<span>
        (?:最近|近|过去|前|未来|接下来|今后|往后)的?(?:{_NUMBER})(?:{_UNIT})
      | (?:{_NUMBER})(?:{_UNIT})(?:以内|之内|内)
    )
  | (?P<weekday>
        (?:(?:{_SHIFT})个?)?(?:周|星期|礼拜)(?:[二三四五六日天]|一(?![共般直起下]))(?![0-9一二三四五六七八九十])
    )
  | (?P<week>(?:{_SHIFT})(?:一|个)?(?:周末?|星期|礼拜))
  | (?P<part>
        (?:(?:{_SHIFT})个?月|(?:{_NUMBER})月份?)的?(?:(?:最后|头|第)一?个?(?:周|星期)|[上下前后]半个?月)
      | (?:the\ )?(?:(?:first|last)\ (?:week|half)|second\ half)\ of
        \ (?:(?:last|this|next)\ month|(?:{"|".join(_ENGLISH_MONTHS)}))(?![a-z])
    )
  | (?P<third>(?:(?:{_SHIFT})个?月|(?:{_NUMBER})月份?|月)(?:[上中下]旬|初|中|底|末)|[上中下]旬)
  | (?P<month>(?:{_SHIFT})(?:一|个)?月份?(?!报(?![表告价])))
  | (?P<quarter>(?:{_SHIFT})(?:一|个)?季度?|(?:(?:今年|去年|\d{{4}}年)的?)?(?:第?[一二三四1-4]季度|q[1-4]))
  | (?P<half>(?:今年|去年|\d{{4}}年)?[上下]半年)
  | (?P<date>(?:(?:\d{{4}}|今|去|明)年)?(?:{_NUMBER})月(?:(?:{_NUMBER})[日号]|份)?(?![花亮饼球])|(?:\d{{4}})年)
  | (?P<monthday>(?:{_NUMBER})[日号](?![仓库线厂楼门机店车]))
  | (?P<english>
        the\ (?:week|month)\ before\ last
      | (?:last|past|next)\ \d{{1,3}}\ (?:days?|weeks?|months?)
      | (?:last|this|next)\ (?:week|month|quarter|year)
      | (?:(?:last|this|next)\ )?(?:{"|".join(_ENGLISH_WEEKDAYS)})
      | (?:{"|".join(_ENGLISH_MONTHS)})(?:\ \d{{4}})?
      | (?:{"|".join(month[:3] for month in _ENGLISH_MONTHS)})\ \d{{4}}
    )(?![a-z])
"""
_BETWEEN = r"\s*(?:到|至|~|—|－|\.\.|-(?=\s)|\bto\b|\buntil\b)\s*"
_BARE = re.sub(r"\?P<\w+>", "?:", _SINGLE)
_BEFORE = "之前|以前|前"
_NOW = "现在|目前|now"
"""The end of a range, as a day of its own said of everything."""
_DAY_NUMBER = r"\d{1,2}(?:st|nd|rd|th)?"
_FOUND = (
    rf"(?<![a-z0-9])(?:between\ (?:{_DAY_NUMBER}|{_BARE})\ and\ (?:{_BARE})"
    rf"|(?:(?:by|before)\ )?(?:{_BARE})(?:{_BETWEEN}(?:{_BARE}|{_NOW})|{_BEFORE})?)"
)
_FROM_TO = re.compile(r"between\s+(?:(?P<day>\d{1,2})(?:st|nd|rd|th)?|(?P<first>.+?))\s+and\s+(?P<last>.+)")
_MONTH_IN_DIGITS = re.compile(r"(\d{4})[-/](1[0-2]|0?[1-9])")
_UNTIL = re.compile(rf"(?:by|before)\s+(?P<english>.+)|(?P<chinese>.+?)(?:{_BEFORE})")
_RANGE = re.compile(rf"(?P<first>.+?){_BETWEEN}(?P<last>.+)")
_DUE = re.compile(r"^due\s+(?:on\s+|in\s+)?|(?:到期|要?交货?|到货|完工|应交|due)$")
_LONGEST = 40
_MOST_WORDS = 6
"""Of days as they are typed: between 1 October and 3 November."""
_LEAP_DAY = date(2024, 2, 29)
"""A day on which every day of a year can be named."""


@dataclass(frozen=True, slots=True)
class DayRange:
    """The days of a list: ``due`` for those on which documents are due instead of their own."""

    period: Period
    due: bool = False

    @property
    def typed(self) -> str:
        """The days as they are typed, without relation to today."""
        first, last = self.period.first, self.period.last
        days = f"{first}" if first == last else f"{first}..{last}"
        return f"due {days}" if self.due else days

    @property
    def during(self) -> Period | None:
        """The period of the documents' own days."""
        return None if self.due else self.period

    @property
    def due_in(self) -> Period | None:
        """The period in which documents are due."""
        return self.period if self.due else None


class Days(Word):
    """Days that restrict a list, typed anywhere in a line: 本月, 上周到期, "last week", "due tomorrow"."""

    placeholder = phrase("days")
    anywhere = True

    @classmethod
    def take_marked(cls, words: list[str]) -> Self | None:
        """Take the words that name days out of a line; raises `BadArgument` for a day that no calendar has."""
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
        """Return the days that are meant on a day; raises `BadArgument` for a 29th of February that year has not."""
        found = read_days(self, today)
        if found is None:
            raise missing_day(self)
        return found


class DaysOrMonth(Days):
    """Days, and a month in digits such as 2026-10: for commands that look for no number, as documents have such."""

    @classmethod
    def take_marked(cls, words: list[str]) -> Self | None:
        """Take the words that name days or a month out of a line."""
        month = next((word for word in words if names_month_in_digits(word)), None)
        if month is None:
            return super().take_marked(words)
        words.remove(month)
        return cls(month)

    def within(self, today: date) -> DayRange:
        """Return the days that are meant on a day."""
        match = _MONTH_IN_DIGITS.fullmatch(self)
        return DayRange(_month_of(int(match[1]), int(match[2]))) if match else super().within(today)


def names_month_in_digits(text: str) -> bool:
    """Return whether a text is a month as 2026-10; alone that may be the number of a document too."""
    return _MONTH_IN_DIGITS.fullmatch(text) is not None


def names_days(text: str) -> bool:
    """Return whether a text names days and nothing else."""
    return read_days(text, _LEAP_DAY) is not None


def names_missing_day(text: str) -> bool:
    """Return whether a text names days by their date and one of them does not exist, such as 2月31号."""
    folded = _DUE.sub("", text.casefold()).strip()
    between = _RANGE.fullmatch(folded)
    ends = (between["first"], between["last"]) if between else (folded,)
    dated = [
        match.lastgroup in {"iso", "date", "dayofmonth"} for end in ends if (match := _day_pattern().fullmatch(end))
    ]
    return len(dated) == len(ends) and all(dated) and any(_one(end, _LEAP_DAY) is None for end in ends)


def missing_day(text: str) -> BadArgument:
    """Return what to raise about days that do not exist."""
    return BadArgument(phrase("There is no day “%(day)s”.", day=text))


def names_days_ahead(text: str) -> bool:
    """Return whether days that a text names lie ahead on any day: 明天, 下周, "next month"."""
    days = (date(2024, 1, 31), date(2999, 12, 31))
    return all(
        (found := read_days(text, today)) is not None and found.period.first >= today < found.period.last
        for today in days
    )


def names_days_due_later(text: str) -> bool:
    """Return whether a text names days on which something is due, and on any day they are not over: 今天到期."""
    days = (date(2024, 1, 31), date(2999, 12, 31))
    return all(
        (found := read_days(text, today)) is not None and found.due and found.period.last >= today for today in days
    )


# These take 3 and 15 ms to make, and only what is said of days needs them: the start does not wait for them.
@cache
def _day_pattern() -> re.Pattern[str]:
    return re.compile(_SINGLE, re.VERBOSE)


@cache
def _days_within() -> re.Pattern[str]:
    return re.compile(_FOUND, re.VERBOSE)


def find_days(text: str) -> Iterator[tuple[int, int]]:
    """Yield where a text in small letters names days, also such as do not exist."""
    for match in _days_within().finditer(text):
        if names_days(match[0]) or names_missing_day(match[0]):
            yield match.span()
        elif (until := _UNTIL.fullmatch(match[0])) and until.lastgroup and names_days(until[until.lastgroup]):
            yield match.start() + until.start(until.lastgroup), match.start() + until.end(until.lastgroup)


def read_days(text: str, today: date) -> DayRange | None:
    """Return the days that a text names on the day ``today``; None if it says anything else."""
    folded = " ".join(text.casefold().split())
    if not folded or len(folded) > _LONGEST:
        return None
    bare = _DUE.sub("", folded).strip()
    due = bare != folded
    period = _one(bare, today, ahead=due) or _range(bare, today, ahead=due) or _until(bare, today)
    period = period or _from_to(bare, today, ahead=due)
    return None if period is None else DayRange(period, due)


def _until(text: str, today: date) -> Period | None:
    """Return the days from today on: 月底前, "by Friday"; None for what lies behind."""
    match = _UNTIL.fullmatch(text)
    last = _one(match[match.lastgroup], today, ahead=True) if match and match.lastgroup else None
    return Period(today, last.last) if last and last.last >= today else None


def _from_to(text: str, today: date, *, ahead: bool) -> Period | None:
    """Return the days of "between 1 and 15 November"."""
    match = _FROM_TO.fullmatch(text)
    last = _one(match["last"], today, ahead=ahead) if match else None
    if match is None or last is None:
        return None
    if match["day"] is None:
        first = _one(match["first"], today, ahead=ahead)
    else:
        first = _one(f"{last.first:%Y-%m}-{match['day']}", today)
    return Period(first.first, last.last) if first and first.first <= last.last else None


def _range(text: str, today: date, *, ahead: bool) -> Period | None:
    match = _RANGE.fullmatch(text)
    if match is None:
        return None
    first = _one(match["first"], today, ahead=ahead)
    if first is None:
        return None
    if re.fullmatch(_NOW, match["last"]):
        return Period(first.first, today) if first.first <= today else None
    # 10月1号到15号: the end is the next such day after the beginning, while 今天 is today.
    last = _one(match["last"], first.first, ahead=True) if _is_incomplete(match["last"]) else _one(match["last"], today)
    if last is None or last.last < first.first:
        return None
    return Period(first.first, last.last)


def _is_incomplete(text: str) -> bool:
    match = _day_pattern().fullmatch(text)
    return match is not None and match.lastgroup in {"monthday", "date", "weekday"}


def _one(text: str, today: date, *, ahead: bool = False) -> Period | None:
    match = _day_pattern().fullmatch(text)
    if match is None or match.lastgroup is None:
        return None
    try:
        return _READERS[match.lastgroup](text, today, ahead)
    except (ValueError, OverflowError):  # there is no 31st of February
        return None


def _iso(text: str, _today: date, _ahead: bool) -> Period:
    year, month, day = map(int, re.split(r"[-/.]", text))
    return _day(date(year, month, day))


def _dayofmonth(text: str, today: date, ahead: bool) -> Period:
    """Return the day of "15 November", "Nov 15th, 2026": the nearest where no year is said."""
    name = re.search(_MONTH, text)
    numbers = list(map(int, re.findall(r"\d+", text)))
    assert name is not None
    month = next(n for n, known in enumerate(_ENGLISH_MONTHS, 1) if known.startswith(name[0]))
    if len(numbers) > 1:
        return _day(date(numbers[1], month, numbers[0]))
    return _day(_nearest_month(month, today, ahead=ahead).first.replace(day=numbers[0]))


def _named(text: str, today: date, _ahead: bool) -> Period:
    if text in _NAMED_YEARS:
        return _year(today.year + _NAMED_YEARS[text])
    return _day(today + _NAMED_DAYS[text] * _DAY)


def _span(text: str, today: date, ahead: bool) -> Period:
    """Return 最近7天 up to today, and 未来7天 from today on."""
    match = re.search(rf"({_NUMBER})({_UNIT})", text)
    assert match is not None
    ahead = ahead or text.startswith(("未来", "接下来", "今后", "往后"))
    return _stretch(today, _number(match[1]), match[2].removeprefix("个"), ahead=ahead)


def _stretch(today: date, count: int, unit: str, *, ahead: bool) -> Period:
    days = {"天": 1, "日": 1, "周": 7, "星期": 7}.get(unit)
    if days is not None:
        edge = count * days * _DAY
        return Period(today, today + edge) if ahead else Period(today - edge + _DAY, today)
    months = count * {"月": 1, "季度": 3, "年": 12}[unit]
    if ahead:
        return Period(today, _months_from(today, months))
    return Period(_months_from(today, -months) + _DAY, today)


def _weekday(text: str, today: date, ahead: bool) -> Period:
    wanted = _WEEKDAYS[text[-1]]
    shift = re.match(_SHIFT, text)
    return _day(_weekday_of(today, wanted, _OFFSETS[shift[0]] if shift else None, ahead=ahead))


def _weekday_of(today: date, wanted: int, weeks: int | None, *, ahead: bool) -> date:
    monday = today - today.weekday() * _DAY
    if weeks is not None:
        return monday + (7 * weeks + wanted) * _DAY
    day = monday + wanted * _DAY
    if ahead and day < today:
        return day + 7 * _DAY
    return day - 7 * _DAY if not ahead and day > today else day


def _week(text: str, today: date, _ahead: bool) -> Period:
    monday = today + (7 * _shift_of(text) - today.weekday()) * _DAY
    return Period(monday + 5 * _DAY if text.endswith("末") else monday, monday + 6 * _DAY)


def _month(text: str, today: date, _ahead: bool) -> Period:
    return _month_of(today.year, today.month + _shift_of(text))


def _third(text: str, today: date, ahead: bool) -> Period:
    """Return a third of a month: 上旬 or 月初 up to the 10th, 中旬 up to the 20th, 下旬 or 月底 to its end."""
    part = _THIRDS[text.removesuffix("旬")[-1]]
    named = re.match(rf"({_NUMBER})月|({_SHIFT})个?月", text)
    if named and named[1]:
        month = _nearest_month(_number(named[1]), today, ahead=ahead)
    else:
        month = _month_of(today.year, today.month + (_OFFSETS[named[2]] if named else 0))
    first = month.first + 10 * part * _DAY
    return Period(first, month.last if part == 2 else first + 9 * _DAY)


def _part(text: str, today: date, ahead: bool) -> Period:
    """Return a part of a month: its first or last seven days, its days up to the 15th or from the 16th on."""
    name = re.search(r"of (.+)|(.+?月)", text)
    assert name is not None
    month = _one(name[1] or name[2], today, ahead=ahead)
    assert month is not None, "it is written as a month"
    second = re.search("最后|下半|后半|last week|last half|second", text) is not None
    if re.search("半|half", text):
        middle = month.first + 14 * _DAY
        return Period(middle + _DAY, month.last) if second else Period(month.first, middle)
    return Period(month.last - 6 * _DAY, month.last) if second else Period(month.first, month.first + 6 * _DAY)


def _quarter(text: str, today: date, _ahead: bool) -> Period:
    named = re.search(r"第?([一二三四1-4])季|q([1-4])", text)
    if named is None:
        return _quarter_of(today.year, (today.month - 1) // 3 + _shift_of(text))
    return _quarter_of(_year_in(text, today), _number(named[1] or named[2]) - 1)


def _half(text: str, today: date, _ahead: bool) -> Period:
    year, second = _year_in(text, today), "下半年" in text
    return Period(date(year, 7 if second else 1, 1), date(year, 12, 31) if second else date(year, 6, 30))


def _date(text: str, today: date, ahead: bool) -> Period:
    match = re.fullmatch(rf"(?:(\d{{4}}|今|去|明)年)?(?:({_NUMBER})月(?:({_NUMBER})[日号]|份)?)?", text)
    assert match is not None
    year, month, day = match.groups()
    if month is None:
        return _year(int(year))
    if year is None:
        whole = _nearest_month(_number(month), today, ahead=ahead)
    else:
        whole = _month_of(_year_in(text, today), _number(month), within_year=True)
    return whole if day is None else _day(whole.first.replace(day=_number(day)))


def _monthday(text: str, today: date, ahead: bool) -> Period:
    """Return the nearest day of that number: on the 2nd, 3号 is a month ago for what was, tomorrow for what is due."""
    wanted = _number(text[:-1])
    step = 1 if ahead else -1
    for months in range(4):
        month = _month_of(today.year, today.month + step * months)
        if 1 <= wanted <= month.last.day:
            day = month.first.replace(day=wanted)
            if (day >= today) if ahead else (day <= today):
                return _day(day)
    raise ValueError(text)


def _english(text: str, today: date, ahead: bool) -> Period | None:
    words = text.split()
    if words[0] == "the":
        return _ENGLISH_SPANS[words[1]](today, -2)
    if len(words) == 3:
        unit = {"d": "天", "w": "周", "m": "月"}[words[2][0]]
        return _stretch(today, int(words[1]), unit, ahead=words[0] == "next")
    shift = _OFFSETS.get(words[0])
    if words[-1] in _ENGLISH_WEEKDAYS:
        return _day(_weekday_of(today, _ENGLISH_WEEKDAYS.index(words[-1]), shift, ahead=ahead))
    if shift is not None:
        return _ENGLISH_SPANS[words[-1]](today, shift)
    month = next(n for n, name in enumerate(_ENGLISH_MONTHS, 1) if name.startswith(words[0]))
    if len(words) == 2:
        return _month_of(int(words[1]), month)
    return None if words[0] in _AMBIGUOUS_MONTHS else _nearest_month(month, today, ahead=ahead)


_ENGLISH_SPANS: dict[str, Callable[[date, int], Period]] = {
    "week": lambda today, shift: Period(
        today + (7 * shift - today.weekday()) * _DAY, today + (7 * shift - today.weekday() + 6) * _DAY
    ),
    "month": lambda today, shift: _month_of(today.year, today.month + shift),
    "quarter": lambda today, shift: _quarter_of(today.year, (today.month - 1) // 3 + shift),
    "year": lambda today, shift: _year(today.year + shift),
}

_READERS: dict[str, Callable[[str, date, bool], Period | None]] = {
    "iso": _iso,
    "dayofmonth": _dayofmonth,
    "named": _named,
    "span": _span,
    "weekday": _weekday,
    "week": _week,
    "part": _part,
    "third": _third,
    "month": _month,
    "quarter": _quarter,
    "half": _half,
    "date": _date,
    "monthday": _monthday,
    "english": _english,
}


def _shift_of(text: str) -> int:
    match = re.match(_SHIFT, text)
    return _OFFSETS[match[0]] if match else 0


def _year_in(text: str, today: date) -> int:
    if named := re.match(r"(\d{4})年", text):
        return int(named[1])
    return today.year + {"去": -1, "明": 1}.get(text[:1], 0)


def _number(text: str) -> int:
    """Return a number up to 99 in digits or Chinese characters."""
    if text.isdecimal():
        return int(text)
    tens, ten, units = text.rpartition("十")
    if not ten:
        return int("".join(str(_NUMERALS[char]) for char in text))
    return (_NUMERALS[tens] if tens else 1) * 10 + (_NUMERALS[units] if units else 0)


def _nearest_month(month: int, today: date, *, ahead: bool) -> Period:
    """Return the month of this number that is nearest: not ahead of today, or not behind it."""
    found = _month_of(today.year, month, within_year=True)
    if ahead and found.last < today:
        return _month_of(today.year + 1, month)
    return _month_of(today.year - 1, month) if not ahead and found.first > today else found


def _month_of(year: int, month: int, *, within_year: bool = False) -> Period:
    """Return a month; the 13th is January of the next year."""
    if within_year and not 1 <= month <= 12:
        raise ValueError(month)
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return Period(date(year, month, 1), date(year, month, monthrange(year, month)[1]))


def _months_from(day: date, months: int) -> date:
    month = _month_of(day.year, day.month + months)
    return month.first.replace(day=min(day.day, month.last.day))


def _quarter_of(year: int, quarter: int) -> Period:
    return Period(_month_of(year, 3 * quarter + 1).first, _month_of(year, 3 * quarter + 3).last)


def _year(year: int) -> Period:
    return Period(date(year, 1, 1), date(year, 12, 31))


def _day(day: date) -> Period:
    return Period(day, day)
