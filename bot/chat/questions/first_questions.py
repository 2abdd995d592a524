"""Suggested first questions: three that fit a person's work in the company, without naming a document or product."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from bot.cards.notices import Suggestion
from bot.chat.questions.work import Work, work_of
from bot.words.phrase import Phrase, phrase

SHOWN = 3


@dataclass(frozen=True, slots=True)
class FirstQuestion:
    """A question in words, and the line that asks it with ``command``."""

    command: str
    line: str
    words: Phrase


_ARRIVALS = FirstQuestion("arrivals", "/arrivals today", phrase("What arrives today?"))
_SHORT = FirstQuestion("shortage", "/shortage", phrase("What is running low?"))
_TO_SHIP = FirstQuestion("delivery", "/delivery due today", phrase("Deliveries due today?"))
_LATE_SALES = FirstQuestion("order", "/order late", phrase("Which orders are late?"))
_DUE_SALES = FirstQuestion("order", "/order due this week", phrase("Orders due this week?"))
_OVERDUE = FirstQuestion("invoice", "/invoice overdue", phrase("Overdue invoices?"))
_TO_PAY = FirstQuestion("bill", "/bill due this week", phrase("Bills due this week?"))
_LATE_PURCHASES = FirstQuestion("po", "/po late", phrase("Late purchase orders?"))
_LATE_PRODUCTION = FirstQuestion("mo", "/mo late", phrase("Late production orders?"))
_MONTH = FirstQuestion("report", "/report month", phrase("How is this month going?"))
_TO_DECIDE = FirstQuestion("pending", "/pending", phrase("What needs my approval?"))

_BY_WORK: Mapping[Work, tuple[FirstQuestion, ...]] = {
    Work.MANAGEMENT: (_TO_DECIDE, _MONTH, _LATE_SALES),
    Work.WAREHOUSE: (_ARRIVALS, _TO_SHIP, _SHORT),
    Work.PURCHASING: (_LATE_PURCHASES, _SHORT, _ARRIVALS),
    Work.FINANCE: (_OVERDUE, _TO_PAY, _MONTH),
    Work.PRODUCTION: (_LATE_PRODUCTION, _SHORT, _ARRIVALS),
    Work.SALES: (_DUE_SALES, _LATE_SALES, _OVERDUE),
}

_ANYBODY = (_LATE_SALES, _SHORT, _OVERDUE, _ARRIVALS, _LATE_PURCHASES, _LATE_PRODUCTION, _MONTH, _TO_DECIDE)


def first_questions(
    roles: Iterable[str], departments: Iterable[str], usable: Collection[str]
) -> tuple[Suggestion, ...]:
    """Return up to `SHOWN` questions for a person who may use the commands named ``usable``."""
    of_work = [question for work in work_of(roles, departments) for question in _BY_WORK[work]]
    fitting = {each.line: each for each in (*of_work, *_ANYBODY) if each.command in usable}
    return tuple(Suggestion(each.line, each.words) for each in [*fitting.values()][:SHOWN])
