"""Periods of the calendar: the days, weeks, months, quarters and years around a day."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

from bot.erp.port import Period

DAY = timedelta(days=1)


def stretch(today: date, count: int, unit: str, *, ahead: bool) -> Period:
    """Return this many days, weeks, months, quarters or years (天, 周, 月, 季度, 年) up to today, or from today on."""
    days = {"天": 1, "日": 1, "周": 7, "星期": 7}.get(unit)
    if days is not None:
        edge = count * days * DAY
        return Period(today, today + edge) if ahead else Period(today - edge + DAY, today)
    months = count * {"月": 1, "季度": 3, "年": 12}[unit]
    if ahead:
        return Period(today, _months_from(today, months))
    return Period(_months_from(today, -months) + DAY, today)


def weekday_of(today: date, wanted: int, weeks: int | None, *, ahead: bool) -> date:
    """Return a day of the week (Monday is 0), ``weeks`` from this one; with None the nearest."""
    monday = today - today.weekday() * DAY
    if weeks is not None:
        return monday + (7 * weeks + wanted) * DAY
    day = monday + wanted * DAY
    if ahead and day < today:
        return day + 7 * DAY
    return day - 7 * DAY if not ahead and day > today else day


def nearest_month(month: int, today: date, *, ahead: bool) -> Period:
    """Return the nearest month of this number: not ahead of today, or not behind it."""
    found = month_of(today.year, month, within_year=True)
    if ahead and found.last < today:
        return month_of(today.year + 1, month)
    return month_of(today.year - 1, month) if not ahead and found.first > today else found


def month_of(year: int, month: int, *, within_year: bool = False) -> Period:
    """Return a month; the 13th is January of the next year."""
    if within_year and not 1 <= month <= 12:
        raise ValueError(month)
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return Period(date(year, month, 1), date(year, month, monthrange(year, month)[1]))


def _months_from(day: date, months: int) -> date:
    month = month_of(day.year, day.month + months)
    return month.first.replace(day=min(day.day, month.last.day))


def quarter_of(year: int, quarter: int) -> Period:
    """Return a quarter, counted from 0; quarters after the last continue into the next year."""
    return Period(month_of(year, 3 * quarter + 1).first, month_of(year, 3 * quarter + 3).last)


def year_of(year: int) -> Period:
    """Return a whole year."""
    return Period(date(year, 1, 1), date(year, 12, 31))


def one_day(day: date) -> Period:
    """Return a single day as a period."""
    return Period(day, day)


def earlier(unit: str, base: Period) -> Period:
    """Return the same days of the week, month, quarter or year before (周, 月, 季度, 年)."""
    if unit == "周":
        return Period(base.first - 7 * DAY, base.last - 7 * DAY)
    return base.months_earlier({"月": 1, "季度": 3, "年": 12}[unit])
