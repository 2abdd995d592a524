"""The comparison days of a report, in words: 本月 with 上月, "this year" with "last year"."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from bot.chat.days import read_days
from bot.read_model.report import ReportSpan

_SpanOf = Callable[[date, date, date], ReportSpan]
_TESTED_ON = (date(2025, 5, 15), date(2027, 8, 20))
"""Days inside their week, month, quarter and year: a rule that holds on both holds on any."""


def is_compared_with(days: str, before: str) -> bool:
    """Return whether a report of ``days`` compares them with the days ``before``, or with the first of them."""
    return _holds(days, before, ReportSpan.of)


def is_year_before(days: str, before: str) -> bool:
    """Return whether a report of ``days`` against last year compares them with the days ``before``."""
    return _holds(days, before, ReportSpan.year_on_year)


def _holds(days: str, before: str, span_of: _SpanOf) -> bool:
    return all(_compares(days, before, span_of, today) for today in _TESTED_ON)


def _compares(days: str, before: str, span_of: _SpanOf, today: date) -> bool:
    now, then = read_days(days, today), read_days(before, today)
    if now is None or then is None:
        return False
    span = span_of(now.period.first, now.period.last, today)
    return then.period.first == span.first_before and then.period.last >= span.last_before
