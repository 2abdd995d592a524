"""Sentences that compare periods: 本月和去年同期比, "this month versus last month", 销售同比."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.chat.compared_days import is_compared_with, is_year_before
from bot.chat.days import names_days, names_month_in_digits, names_same_days
from bot.understanding.command_kinds import BY_STATE, WITH_AMOUNTS
from bot.understanding.lines.weighing import SAYS_WHAT_TO_DO
from bot.understanding.scanning.spans import Scan, SpanKind

REPORT = "report"
LAST_YEAR = frozenset({"yoy", "同比"})
AGAINST = LAST_YEAR | {"sequential", "环比"}
"""What says with which days a report compares."""
"""The command that compares."""
_IN_A_REPORT = WITH_AMOUNTS | BY_STATE | {REPORT}
"""Commands for documents of which a report tells the figures."""
_COMPARED = re.compile(
    r"比(?!例|如|赛|亚|特|方)|对照|\b(?:compare|compared|comparison|versus|vs|against|than)\b", re.IGNORECASE
)
_YEAR_ON_YEAR = re.compile(r"同比|\b(?:yoy|y/y|year[- ](?:on|over)[- ]year)\b", re.IGNORECASE)
_ON_END = re.compile(
    r"环比|\b(?:(?P<unit>day|week|month|quarter)[- ](?:on|over)[- ](?:day|week|month|quarter))\b", re.IGNORECASE
)
_WITH_BEFORE = re.compile(
    r"(?:比|跟|和|与|同|较|对照|\b(?:vs\.?|versus|than|against|with|to)(?: the)?)\s*$", re.IGNORECASE
)
_WITH_AFTER = re.compile(r"\s*(?:的)?(?:相比|对比|比)")
_PARTICLES = re.compile(r"[\s的呢吗吧那]|\b(?:and|what about|how about|the)\b", re.IGNORECASE)
_KINDS = re.compile(
    r"(?P<day>日报|daily report)|(?P<week>周报|weekly report)|(?P<month>月报|monthly report)", re.IGNORECASE
)
_SO_FAR = {
    False: ("今天", "本周", "本月", "本季度", "今年"),
    True: ("today", "this week", "this month", "this quarter", "this year"),
}
_EARLIER = re.compile(r"同|这|今[天日]$|\b(?:same|this)\b.*\blast\b", re.IGNORECASE)
"""Days of an earlier time that are like those of now: 去年同期, 去年今天."""
SPOKEN_PERIODS = {"day": "今天", "week": "本周", "month": "本月"}
"""The customary reports → the days that they are of."""


@dataclass(frozen=True, slots=True)
class Compared:
    """The comparing lines: several if no report compares the named days."""

    lines: tuple[str, ...]
    holds_all: bool = True


def compares(scan: Scan) -> bool:
    """Return whether a sentence compares periods."""
    text = scan.text
    return compares_with_usual(text) or (_COMPARED.search(text) is not None and bool(_days_in(scan)))


def may_compare(scan: Scan) -> bool:
    """Return whether a sentence may compare anything: a cheap test that excludes most."""
    text = scan.text
    earlier = any(_EARLIER.search(span.text) for span in scan.of_kind(SpanKind.DATE))
    return earlier or _COMPARED.search(text) is not None or compares_with_usual(text)


def compares_with_usual(text: str) -> bool:
    """Return whether a sentence compares with the usual days without naming them: 同比, 环比."""
    return _YEAR_ON_YEAR.search(text) is not None or _ON_END.search(text) is not None


def find_comparison(scan: Scan, weights: Mapping[str, int]) -> Compared | None:
    """Return the comparison in a sentence that names no subject; None if there is none."""
    top = max(weights, key=lambda name: weights[name], default=REPORT)
    if weights.get(top, 0) >= SAYS_WHAT_TO_DO and top not in _IN_A_REPORT:
        return None
    text, days = scan.text.casefold(), _days_in(scan)
    kind = next((match.lastgroup or "" for match in _KINDS.finditer(text)), "")
    if _YEAR_ON_YEAR.search(text):
        own = [day for day in days if not _is_last_year(day)]
        return Compared((_line(kind, *own[:1], _yoy(text)),)) if len(own) < 2 else _each(own)
    if change := _ON_END.search(text):
        unit = (change["unit"] or "").casefold()
        own = days or [kind or {"quarter": "this quarter"}.get(unit, unit)]
        return Compared((_line(*own[:1]),)) if len(own) < 2 else _each(own)
    if len(days) == 1 and _EARLIER.search(days[0]) and says_only(scan.text, days[0]):
        return Compared((_line(kind, days[0]),))
    if not _COMPARED.search(text) and not (len(days) == 2 and any(map(names_same_days, days))):
        return None
    if len(days) == 1:
        return _with(days[0], kind, scan)
    return (_of_two(days[0], days[1]) or _each(days)) if len(days) == 2 else None


def compare_again(scan: Scan, said: str, *, year_on_year: bool) -> Compared | None:
    """Return the comparison of the last report's days (as ``said``) in a sentence that follows it."""
    text, days = scan.text.casefold(), _days_in(scan)
    if len(days) == 1 and says_only(scan.text, days[0]):
        if names_same_days(days[0]):
            return Compared((_line(beside(said, days[0])),))
        return Compared((_line(days[0], _yoy(days[0])),)) if year_on_year else None
    if _YEAR_ON_YEAR.search(text) and not days:
        return Compared((_line(said, _yoy(text)),))
    if _ON_END.search(text) and not days:
        return Compared((_line(said),))
    if len(days) == 1 and _COMPARED.search(text):
        against = _against(SPOKEN_PERIODS.get(said, said), days[0])
        return None if against is None else Compared((_line(said, against),))
    return None


def is_told(report: str, before: str) -> bool:
    """Return whether a report, given by its typed arguments, includes the figures of ``before``."""
    *words, last = report.split() or [""]
    year_on_year = last in {"同比", "yoy"}
    said = " ".join(words) if year_on_year else report
    against = _against(SPOKEN_PERIODS.get(said, said), before)
    return against is not None and bool(against) is year_on_year


def beside(days: str, same: str) -> str:
    """Return the typed form of the same days of an earlier time, beside other days: 上周去年同期."""
    joined = not (days + same).isascii() and days not in SPOKEN_PERIODS
    return f"{days}{same}" if joined else f"{days} {same}".strip()


def _of_two(one: str, other: str) -> Compared | None:
    """Return the report of those of two periods that it compares with the other; None if none does."""
    for days, before in ((one, other), (other, one)):
        against = None if names_same_days(days) else _against(days, before)
        if against is not None:
            return Compared((_line(days, against),))
    return None


def _against(days: str, before: str) -> str | None:
    """Return the word by which a report of ``days`` compares them with others; None if none does."""
    if is_compared_with(days, before):
        return ""
    # 本月和去年比: nobody compares a month with a year.
    if _is_last_year(before) or is_year_before(days, before):
        return _yoy(days)
    return None


def _with(before: str, kind: str, scan: Scan) -> Compared | None:
    """Return the report of the days so far that compares them with the named ones: 和上月比."""
    span = next(span for span in scan.of_kind(SpanKind.DATE) if span.text == before)
    text_before, text_after = scan.text[: span.start], scan.text[span.start + len(span.text) :]
    if not (_WITH_BEFORE.search(text_before) or _WITH_AFTER.match(text_after)):
        return None
    if _is_last_year(before):
        return Compared(
            (_line(kind or ("" if names_same_days(before) else _SO_FAR[before.isascii()][-1]), _yoy(before)),)
        )
    return next((found for days in _SO_FAR[before.isascii()] if (found := _of_two(days, before))), None)


def _each(days: Iterable[str]) -> Compared:
    return Compared(tuple(_line(day) for day in days), holds_all=False)


def _days_in(scan: Scan) -> list[str]:
    dates = (span.text for span in scan.of_kind(SpanKind.DATE))
    return list(dict.fromkeys(day for day in dates if names_days(day) or names_month_in_digits(day)))


def _is_last_year(days: str) -> bool:
    folded = days.casefold()
    return folded in {"去年", "上年", "last year"} or (
        names_same_days(days) and re.search("[去上]年|year", folded) is not None
    )


def says_only(text: str, days: str) -> bool:
    """Return whether a text names days and nothing else."""
    return not _PARTICLES.sub("", text.casefold().replace(days.casefold(), ""))


def _yoy(text: str) -> str:
    return "yoy" if text.isascii() else "同比"


def _line(*words: str) -> str:
    return " ".join(filter(None, (f"/{REPORT}", *words)))
