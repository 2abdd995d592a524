"""The days of reports and charts, and the names of periods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from bot.chat.arguments import Keyword
from bot.chat.calendar_periods import DAY, month_of, one_day
from bot.chat.days import Days
from bot.erp.port import Period
from bot.read_model.report import AgeingBucket, ReportSpan
from bot.words.phrase import Phrase, phrase


class ReportPeriod(Keyword, changes=False):
    """The usual reports."""

    DAY = phrase("day"), "daily", "日报"
    WEEK = phrase("week"), "weekly", "周报"
    MONTH = phrase("month"), "monthly", "月报"


class PeriodComparison(Keyword, changes=False):
    """The days a report compares with: the same ones of the previous year, or by default the preceding ones."""

    LAST_YEAR = phrase("yoy"), "同比", "year-on-year", "y/y", "去年同比"
    BEFORE = phrase("sequential"), "环比"


WEEKDAYS: Mapping[int, Phrase] = {
    1: phrase("Mondays"),
    2: phrase("Tuesdays"),
    3: phrase("Wednesdays"),
    4: phrase("Thursdays"),
    5: phrase("Fridays"),
    6: phrase("Saturdays"),
    7: phrase("Sundays"),
}
"""By their ISO numbers."""

_PERIODS: Mapping[ReportPeriod, Callable[[date], Period]] = {
    ReportPeriod.DAY: one_day,
    ReportPeriod.WEEK: lambda today: Period(today - today.weekday() * DAY, today),
    ReportPeriod.MONTH: lambda today: month_of(today.year, today.month),
}


def name_age(bucket: AgeingBucket) -> Phrase:
    """Return the text for how long something is overdue."""
    if bucket.last is None:
        return phrase("more than %(days)d days", days=bucket.first - 1)
    return phrase("%(first)d–%(last)d days", first=bucket.first, last=bucket.last)


def span_of(
    days: Days | None, which: ReportPeriod | None, today: date, against: PeriodComparison | None = None
) -> tuple[ReportSpan, str]:
    """Return the days that are meant, by default those of this month, and their typed form."""
    period, said = _period_of(days, which, today)
    compared = ReportSpan.year_on_year if against is PeriodComparison.LAST_YEAR else ReportSpan.of
    return compared(period.first, period.last, today), said


def _period_of(days: Days | None, which: ReportPeriod | None, today: date) -> tuple[Period, str]:
    customary = _PERIODS[which or ReportPeriod.MONTH](today)
    if days is None:
        return customary, str(which or ReportPeriod.MONTH)
    so_far = Period(customary.first, min(customary.last, today))
    if which and (earlier := days.beside(so_far)):
        return earlier, f"{which} {days}"
    return days.within(today).period, str(days)
