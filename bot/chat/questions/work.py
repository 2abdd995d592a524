"""People's work in the company, by the names of their roles and departments, and what they keep on time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum


class Work(StrEnum):
    """A kind of work."""

    MANAGEMENT = "management"
    WAREHOUSE = "warehouse"
    PURCHASING = "purchasing"
    FINANCE = "finance"
    PRODUCTION = "production"
    SALES = "sales"


_CALLED: Mapping[Work, re.Pattern[str]] = {
    Work.MANAGEMENT: re.compile("总经|经理|老板|boss|manager|management|审批|approv"),
    Work.WAREHOUSE: re.compile("仓|warehouse|keeper|logistic|物流"),
    Work.PURCHASING: re.compile("采购|purchas|buyer"),
    Work.FINANCE: re.compile("财务|会计|出纳|financ|account"),
    Work.PRODUCTION: re.compile("生产|计划|车间|质检|品质|product|plan|workshop|quality"),
    Work.SALES: re.compile("销售|外贸|业务|客服|sales"),
}
_KEEPS_ON_TIME: Mapping[Work, tuple[str, ...]] = {
    Work.SALES: ("order", "invoice"),
    Work.PURCHASING: ("po",),
    Work.WAREHOUSE: ("delivery", "po"),
    Work.PRODUCTION: ("mo",),
    Work.FINANCE: ("invoice",),
}
"""The commands for what a person asking about lateness works on; a manager asks about anything."""
_DAY_OF: Mapping[Work, tuple[str, ...]] = {
    Work.SALES: ("order", "quote", "invoice"),
    Work.PURCHASING: ("po", "arrivals", "shortage", "bill"),
    Work.WAREHOUSE: ("order", "arrivals", "shortage", "po"),
    Work.PRODUCTION: ("mo", "shortage", "arrivals"),
    Work.FINANCE: ("invoice", "bill"),
}
"""The commands for what a person's day is made of; a manager's is made of everything."""


def work_of(roles: Iterable[str], departments: Iterable[str]) -> tuple[Work, ...]:
    """Return a person's work; departments count only if no role tells it."""
    for names in (roles, departments):
        said = " ".join(names).casefold()
        if found := tuple(work for work, called in _CALLED.items() if called.search(said)):
            return found
    return ()


def kept_on_time(work: Iterable[Work]) -> frozenset[str]:
    """Return the commands for what people with this work keep on time."""
    return frozenset(command for each in work for command in _KEEPS_ON_TIME.get(each, ()))


def made_of(work: Iterable[Work]) -> frozenset[str]:
    """Return the commands for what the day of people with this work is made of; empty: of everything."""
    return frozenset(command for each in work for command in _DAY_OF.get(each, ()))
