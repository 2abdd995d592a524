"""The variables available to rule conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from bot.alerts.event import Event
from bot.alerts.rules.cel_engine import new_context
from bot.alerts.rules.schedule import is_workday
from bot.words.severity import Severity

if TYPE_CHECKING:
    from cel import Context


class Facts:
    """One event at one moment, in the company's zone. Each variable is passed to CEL once, on first use."""

    __slots__ = ("_context", "_given", "event", "now", "severity")

    def __init__(self, event: Event, severity: Severity, now: datetime) -> None:
        self.event = event
        self.severity = severity
        self.now = now
        """Aware, in the company's zone."""
        self._context: Context | None = None
        self._given: set[str] = set()

    @property
    def age(self) -> int:
        """Days since the due date."""
        return self.event.age_days(self.now.date())

    @property
    def number(self) -> Mapping[str, Decimal | None]:
        """The figures that are compared exactly."""
        amount = self.event.amount
        return {"amount": None if amount is None else amount.amount, "quantity": self.event.quantity}

    def context(self, names: tuple[str, ...]) -> Context:
        """Return a context with the variables ``names``. Raises `ValueError` for data that CEL cannot hold."""
        if self._context is None:
            self._context = new_context()
        for name in names:
            if name not in self._given:
                self._context.add_variable(name, VARIABLES[name](self))
                self._given.add(name)
        return self._context


VARIABLES: Mapping[str, Callable[[Facts], object]] = {
    "type": lambda facts: facts.event.type,
    "severity": lambda facts: facts.severity.value,
    "source": lambda facts: facts.event.source,
    "subject": lambda facts: facts.event.subject,
    "company": lambda facts: facts.event.company,
    "warehouse": lambda facts: facts.event.warehouse,
    "customer": lambda facts: facts.event.customer,
    "supplier": lambda facts: facts.event.supplier,
    "category": lambda facts: facts.event.category,
    "owner": lambda facts: facts.event.owner,
    "currency": lambda facts: "" if facts.event.amount is None else facts.event.amount.currency,
    "age": lambda facts: facts.age,
    "title": lambda facts: facts.event.title,
    "tags": lambda facts: facts.event.tags,
    "data": lambda facts: facts.event.data,
    "hour": lambda facts: facts.now.hour,
    "weekday": lambda facts: facts.now.isoweekday(),
    "workday": lambda facts: is_workday(facts.now.date()),
}
"""All variables except ``amount`` and ``quantity``: CEL has no decimals, `bot.alerts.rules.comparisons` has."""

COMMON = ("type", "source", "subject", "company", "warehouse", "customer", "supplier", "category", "owner")
"""Variables that are words of the event itself; two alerts can share them (``equal``)."""

WORDS = (*COMMON, "severity", "currency")
"""Variables by which one card may gather (``group_by``)."""
