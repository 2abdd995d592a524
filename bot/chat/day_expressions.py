"""A single expression for days, such as 上周五, 10月1号 or "last week", and its period relative to a day."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import cache

from bot.chat.calendar_periods import DAY, month_of, nearest_month, one_day, quarter_of, stretch, weekday_of, year_of
from bot.erp.port import Period

_NUMERALS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_WEEKDAYS = {sign: value for value, sign in enumerate("一二三四五六")} | {"日": 6, "天": 6, "末": 6}
_ENGLISH_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ENGLISH_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_AMBIGUOUS_MONTHS = frozenset({"may", "march"})
"""Months that are also everyday words unless a year follows."""
_OFFSETS = {
    "上上": -2,
    "再上": -2,
    "上": -1,
    "last": -1,
    "本": 0,
    "这": 0,
    "当": 0,
    "this": 0,
    "下": 1,
    "next": 1,
    "下下": 2,
}
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
_SHIFT = "上上|再上|上|本|这|当|下下|下"
_UNIT = "天|日|个?星期|周|个?月|个?季度|年"
_SAME_PERIOD = r"""
    (?:去年|上年|上个?季度?|上个?月|上个?(?:周|星期|礼拜))的?(?:同期|同一?时期|同一?时间|这个?时候|这时候)
  | (?:the\ )?(?:same\ (?:period|time|days|dates)|this\ time)\ (?:of\ |in\ )?last\ (?:year|quarter|month|week)(?![a-z])
"""
"""The same days of an earlier year, quarter, month or week."""
_SINGLE = rf"""
    (?P<same>{_SAME_PERIOD})
  | (?P<sameday>(?:去年|上年|上个?月|上个?(?:周|星期))的?(?:今[天日]|同一?[天日]|这一?天))
  | (?P<iso>\d{{4}}[-/.](?:1[0-2]|0?[1-9])[-/.](?:3[01]|[12]\d|0?[1-9])(?!\d))
  | (?P<dayofmonth>
        (?:3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?\ (?:of\ )?(?:{_MONTH})(?:\ \d{{4}})?(?![a-z0-9])
      | (?:{_MONTH})\ (?:3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?(?:,?\ \d{{4}})?(?![a-z0-9])
    )
  | (?P<named>(?:{_WORDS})(?!的?(?:
        同?月|这个?月|今[天日]|同一?[天日]|这一?天|(?:{_NUMBER})月|第?[一二三四1-4]季|[上下]半年|q[1-4]
    )))
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
  | (?P<monthlastyear>(?:去年|上年)的?(?:同月|这个?月))
  | (?P<date>(?:(?:\d{{4}}|今|去|明)年)?(?:{_NUMBER})月(?:(?:{_NUMBER})[日号]|份)?(?![花亮饼球])|(?:\d{{4}})年)
  | (?P<monthday>(?:{_NUMBER})[日号](?![仓库线厂楼门机店车]))
  | (?P<english>
        the\ (?:week|month)\ before\ last
      | (?:last|past|next)\ \d{{1,3}}\ (?:days?|weeks?|months?)
      | (?:last|this|next)\ (?:week|month|quarter|year)
      | (?:the\ )?(?:same|this)\ month\ (?:of\ )?last\ year
      | (?:(?:last|this|next)\ )?(?:{"|".join(_ENGLISH_WEEKDAYS)})
      | (?:{"|".join(_ENGLISH_MONTHS)})(?:\ \d{{4}})?
      | (?:{"|".join(month[:3] for month in _ENGLISH_MONTHS)})\ \d{{4}}
    )(?![a-z])
"""
ANY_EXPRESSION = re.sub(r"\?P<\w+>", "?:", _SINGLE)


@cache
def _pattern() -> re.Pattern[str]:
    # It takes 3 ms to build, and only day expressions need it: the start does not wait for it.
    return re.compile(_SINGLE, re.VERBOSE)


def match_expression(text: str) -> re.Match[str] | None:
    """Match a complete lower-case text; the last group of the match is the kind of expression."""
    return _pattern().fullmatch(text)


def read_expression(text: str, today: date, *, ahead: bool = False) -> Period | None:
    """Return the period of a lower-case text; None for anything else, and for a nonexistent day."""
    match = match_expression(text)
    if match is None or match.lastgroup is None:
        return None
    try:
        return _READERS[match.lastgroup](text, today, ahead)
    except (ValueError, OverflowError):  # there is no 31st of February
        return None


def read_same_days(text: str, base: Period) -> Period | None:
    """Return the days that 去年同期 or "same period last month" means relative to ``base``; None for any other text."""
    match = match_expression(text)
    if match is None or match.lastgroup != "same":
        return None
    return _earlier(text, base)


def _earlier(text: str, base: Period) -> Period:
    """Return the same days of the earlier week, month, quarter or year named in a text."""
    if re.search("周|星期|礼拜|week", text):
        return Period(base.first - 7 * DAY, base.last - 7 * DAY)
    return base.months_earlier(3 if re.search("季|quarter", text) else 1 if re.search("月|month", text) else 12)


def _same(text: str, today: date, _ahead: bool) -> Period | None:
    """Return the meaning of 去年同期 alone: relative to this month so far, or this quarter or week."""
    if re.search("周|星期|礼拜|week", text):
        first = today - today.weekday() * DAY
    elif re.search("季|quarter", text):
        first = quarter_of(today.year, (today.month - 1) // 3).first
    else:
        first = today.replace(day=1)
    return read_same_days(text, Period(first, today))


def _iso(text: str, _today: date, _ahead: bool) -> Period:
    year, month, day = map(int, re.split(r"[-/.]", text))
    return one_day(date(year, month, day))


def _dayofmonth(text: str, today: date, ahead: bool) -> Period:
    """Return the day of "15 November", "Nov 15th, 2026": the nearest if no year is given."""
    name = re.search(_MONTH, text)
    numbers = list(map(int, re.findall(r"\d+", text)))
    assert name is not None
    month = next(n for n, known in enumerate(_ENGLISH_MONTHS, 1) if known.startswith(name[0]))
    if len(numbers) > 1:
        return one_day(date(numbers[1], month, numbers[0]))
    return one_day(nearest_month(month, today, ahead=ahead).first.replace(day=numbers[0]))


def _named(text: str, today: date, _ahead: bool) -> Period:
    if text in _NAMED_YEARS:
        return year_of(today.year + _NAMED_YEARS[text])
    return one_day(today + _NAMED_DAYS[text] * DAY)


def _span(text: str, today: date, ahead: bool) -> Period:
    """Return 最近7天 up to today, or 未来7天 from today on."""
    match = re.search(rf"({_NUMBER})({_UNIT})", text)
    assert match is not None
    ahead = ahead or text.startswith(("未来", "接下来", "今后", "往后"))
    return stretch(today, _number(match[1]), match[2].removeprefix("个"), ahead=ahead)


def _weekday(text: str, today: date, ahead: bool) -> Period:
    wanted = _WEEKDAYS[text[-1]]
    shift = re.match(_SHIFT, text)
    return one_day(weekday_of(today, wanted, _OFFSETS[shift[0]] if shift else None, ahead=ahead))


def _week(text: str, today: date, _ahead: bool) -> Period:
    monday = today + (7 * _shift_of(text) - today.weekday()) * DAY
    return Period(monday + 5 * DAY if text.endswith("末") else monday, monday + 6 * DAY)


def _month(text: str, today: date, _ahead: bool) -> Period:
    return month_of(today.year, today.month + _shift_of(text))


def _third(text: str, today: date, ahead: bool) -> Period:
    """Return a third of a month: 上旬 or 月初 up to the 10th, 中旬 up to the 20th, 下旬 or 月底 to its end."""
    part = _THIRDS[text.removesuffix("旬")[-1]]
    named = re.match(rf"({_NUMBER})月|({_SHIFT})个?月", text)
    if named and named[1]:
        month = nearest_month(_number(named[1]), today, ahead=ahead)
    else:
        month = month_of(today.year, today.month + (_OFFSETS[named[2]] if named else 0))
    first = month.first + 10 * part * DAY
    return Period(first, month.last if part == 2 else first + 9 * DAY)


def _part(text: str, today: date, ahead: bool) -> Period:
    """Return a part of a month: its first or last seven days, or its days up to the 15th or from the 16th on."""
    name = re.search(r"of (.+)|(.+?月)", text)
    assert name is not None
    month = read_expression(name[1] or name[2], today, ahead=ahead)
    assert month is not None, "it is written as a month"
    second = re.search("最后|下半|后半|last week|last half|second", text) is not None
    if re.search("半|half", text):
        middle = month.first + 14 * DAY
        return Period(middle + DAY, month.last) if second else Period(month.first, middle)
    return Period(month.last - 6 * DAY, month.last) if second else Period(month.first, month.first + 6 * DAY)


def _quarter(text: str, today: date, _ahead: bool) -> Period:
    named = re.search(r"第?([一二三四1-4])季|q([1-4])", text)
    if named is None:
        return quarter_of(today.year, (today.month - 1) // 3 + _shift_of(text))
    return quarter_of(_year_in(text, today), _number(named[1] or named[2]) - 1)


def _half(text: str, today: date, _ahead: bool) -> Period:
    year, second = _year_in(text, today), "下半年" in text
    return Period(date(year, 7 if second else 1, 1), date(year, 12, 31) if second else date(year, 6, 30))


def _date(text: str, today: date, ahead: bool) -> Period:
    match = re.fullmatch(rf"(?:(\d{{4}}|今|去|明)年)?(?:({_NUMBER})月(?:({_NUMBER})[日号]|份)?)?", text)
    assert match is not None
    year, month, day = match.groups()
    if month is None:
        return year_of(int(year))
    if year is None:
        whole = nearest_month(_number(month), today, ahead=ahead)
    else:
        whole = month_of(_year_in(text, today), _number(month), within_year=True)
    return whole if day is None else one_day(whole.first.replace(day=_number(day)))


def _monthday(text: str, today: date, ahead: bool) -> Period:
    """Return the nearest day of that number: on the 2nd, 3号 is a month ago for the past, tomorrow for due dates."""
    wanted = _number(text[:-1])
    step = 1 if ahead else -1
    for months in range(4):
        month = month_of(today.year, today.month + step * months)
        if 1 <= wanted <= month.last.day:
            day = month.first.replace(day=wanted)
            if (day >= today) if ahead else (day <= today):
                return one_day(day)
    raise ValueError(text)


def _english(text: str, today: date, ahead: bool) -> Period | None:
    words = text.split()
    if words[-2:] == ["last", "year"] and "month" in words:
        return month_of(today.year - 1, today.month)
    if words[0] == "the":
        return _ENGLISH_SPANS[words[1]](today, -2)
    if len(words) == 3:
        unit = {"d": "天", "w": "周", "m": "月"}[words[2][0]]
        return stretch(today, int(words[1]), unit, ahead=words[0] == "next")
    shift = _OFFSETS.get(words[0])
    if words[-1] in _ENGLISH_WEEKDAYS:
        return one_day(weekday_of(today, _ENGLISH_WEEKDAYS.index(words[-1]), shift, ahead=ahead))
    if shift is not None:
        return _ENGLISH_SPANS[words[-1]](today, shift)
    month = next(n for n, name in enumerate(_ENGLISH_MONTHS, 1) if name.startswith(words[0]))
    if len(words) == 2:
        return month_of(int(words[1]), month)
    return None if words[0] in _AMBIGUOUS_MONTHS else nearest_month(month, today, ahead=ahead)


_ENGLISH_SPANS: dict[str, Callable[[date, int], Period]] = {
    "week": lambda today, shift: Period(
        today + (7 * shift - today.weekday()) * DAY, today + (7 * shift - today.weekday() + 6) * DAY
    ),
    "month": lambda today, shift: month_of(today.year, today.month + shift),
    "quarter": lambda today, shift: quarter_of(today.year, (today.month - 1) // 3 + shift),
    "year": lambda today, shift: year_of(today.year + shift),
}

_READERS: dict[str, Callable[[str, date, bool], Period | None]] = {
    "same": _same,
    "sameday": lambda text, today, ahead: _earlier(text, one_day(today)),
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
    "monthlastyear": lambda text, today, ahead: month_of(today.year - 1, today.month),
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
