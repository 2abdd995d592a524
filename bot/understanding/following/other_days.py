"""Sentences that ask the same of other days: "and the month before?", 再上个月呢, 同比呢, 去年同期呢."""

from __future__ import annotations

import re
from datetime import date, timedelta

from bot.chat.days import DayRange, DaysOrMonth, read_days
from bot.chat.questions.reading import Reading, Understood
from bot.erp.port import Period
from bot.understanding.following.follow_up import FollowUp
from bot.understanding.limits.comparisons import AGAINST, LAST_YEAR, REPORT, SPOKEN_PERIODS, compare_again

_BEFORE = re.compile(
    r"(?:and |what about |how about )?(?:for )?the (?P<unit>day|week|month|quarter|year) before(?: that| it)?"
    r"|那?么?(?:再[上前]一?|再往前一?|前一)个?(?P<said>天|周|星期|礼拜|月|季度|年)的?[呢吧]?",
    re.IGNORECASE,
)
_UNITS = {"天": "day", "周": "week", "星期": "week", "礼拜": "week", "月": "month", "季度": "quarter", "年": "year"}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def of_the_days_before(follow_up: FollowUp) -> Reading | None:
    """Return the current line for the days before its own; None for anything else."""
    match = _BEFORE.fullmatch(follow_up.text.strip(" ?？。"))
    said, of_report = follow_up.parts.days, follow_up.before.command == REPORT
    if not said and of_report:
        said = SPOKEN_PERIODS.get(follow_up.parts.listed or "month", "")
    if of_report and (month := DaysOrMonth.take_marked(list(follow_up.words))):
        days: DayRange | None = month.within(follow_up.last.at.date())
    else:
        days = read_days(said, follow_up.last.at.date()) if match and said else None
    if match is None or days is None or not follow_up.may_use(follow_up.before.command):
        return None
    unit = (match["unit"] or _UNITS[match["said"]]).casefold()
    earlier = _written(_before(days.period.first, unit), unit, in_english=follow_up.text.isascii())
    rest = follow_up.last.line.removesuffix(said).rstrip()
    if of_report:
        rest = f"/{REPORT}"
    elif rest == follow_up.last.line:
        return None  # its days stand elsewhere
    return follow_up.reading(f"{rest} {earlier}", Understood("date", follow_up.text, earlier))


def _before(first: date, unit: str) -> Period:
    """Return the whole days, weeks or months that end before a day."""
    last = first - timedelta(days=1)
    if unit in _MONTHS:
        months = last.year * 12 + last.month - _MONTHS[unit]
        return Period(date(months // 12, months % 12 + 1, 1), last)
    return Period(first - timedelta(days=7 if unit == "week" else 1), last)


def _written(period: Period, unit: str, *, in_english: bool) -> str:
    """Return days as a line has them."""
    if unit == "month":
        return period.first.strftime("%B %Y") if in_english else f"{period.first.year}年{period.first.month}月"
    first, last = period.first.isoformat(), period.last.isoformat()
    return first if first == last else f"{first}..{last}"


_DRAWN = re.compile(r"画|图|\b(?:chart|graph|plot|draw)\b", re.IGNORECASE)


def compared(follow_up: FollowUp) -> Reading | None:
    """Return the last report compared with other days, or for the same days a year ago: 同比呢, 去年同期呢."""
    if follow_up.before.command != REPORT or not follow_up.may_use(REPORT):
        return None
    words = follow_up.before.rest.split()
    said = " ".join(word for word in words if word not in AGAINST) or "month"
    found = compare_again(follow_up.scan, said, year_on_year=not LAST_YEAR.isdisjoint(words))
    return follow_up.reading(found.lines[0]) if found else None


def is_drawn(follow_up: FollowUp) -> bool:
    """Return whether a chart of the current report is wanted."""
    return follow_up.before.command == REPORT and _DRAWN.search(follow_up.text) is not None
