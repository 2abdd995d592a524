"""The working days of China: with the holidays that are moved and the weekends on which they are made up."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import structlog

_log = structlog.get_logger(__name__)


@lru_cache(maxsize=1024)
def is_workday(day: date) -> bool:
    """Return whether people work on ``day``; in years that the state council has not announced, Monday to Friday."""
    # Imported here: only rules with working days need the table of holidays.
    from chinese_calendar import is_workday as announced  # type: ignore[import-untyped]  # it has none

    try:
        return bool(announced(day))
    except NotImplementedError:  # the package's word for a year beyond its table
        _say_unknown(day.year)
        return day.isoweekday() <= 5


@lru_cache(maxsize=64)
def _say_unknown(year: int) -> None:
    _log.warning("holidays unknown", year=year, assumed="Monday to Friday", mend="update the package chinesecalendar")
