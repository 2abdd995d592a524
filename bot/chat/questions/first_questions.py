"""What to ask first: three questions that fit somebody's work in the company, and name no document or product."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from bot.cards.notices import Suggestion
from bot.phrase import Phrase, phrase

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

_BY_WORK: tuple[tuple[re.Pattern[str], tuple[FirstQuestion, ...]], ...] = (
    (re.compile("总经|经理|老板|boss|manager|management|审批|approv"), (_TO_DECIDE, _MONTH, _LATE_SALES)),
    (re.compile("仓|warehouse|keeper|logistic|物流"), (_ARRIVALS, _TO_SHIP, _SHORT)),
    (re.compile("采购|purchas|buyer"), (_LATE_PURCHASES, _SHORT, _ARRIVALS)),
    (re.compile("财务|会计|出纳|financ|account"), (_OVERDUE, _TO_PAY, _MONTH)),
    (re.compile("生产|计划|车间|质检|品质|product|plan|workshop|quality"), (_LATE_PRODUCTION, _SHORT, _ARRIVALS)),
    (re.compile("销售|外贸|业务|客服|sales"), (_DUE_SALES, _LATE_SALES, _OVERDUE)),
)
"""What roles and departments are called → what these people ask."""

_ANYBODY = (_LATE_SALES, _SHORT, _OVERDUE, _ARRIVALS, _LATE_PURCHASES, _LATE_PRODUCTION, _MONTH, _TO_DECIDE)


def first_questions(
    roles: Iterable[str], departments: Iterable[str], usable: Collection[str]
) -> tuple[Suggestion, ...]:
    """Return up to `SHOWN` questions for somebody who may use the commands named ``usable``."""
    fitting = {each.line: each for each in (*_of_work(roles, departments), *_ANYBODY) if each.command in usable}
    return tuple(Suggestion(each.line, each.words) for each in [*fitting.values()][:SHOWN])


def _of_work(roles: Iterable[str], departments: Iterable[str]) -> Iterator[FirstQuestion]:
    """Yield what people of somebody's roles ask; their departments only count where no role says what they do."""
    for names in (roles, departments):
        said = " ".join(names).casefold()
        fitting = [question for work, questions in _BY_WORK if work.search(said) for question in questions]
        if fitting:
            yield from fitting
            return
