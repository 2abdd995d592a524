"""Events, companies and rules, with everything left out that a test does not speak of."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bot.alerts.alert import Alert, AlertState
from bot.alerts.event import Event, correlate
from bot.alerts.rules.parser import parse_rules
from bot.alerts.rules.rule_set import AlertRuleContext, AlertRuleSet
from bot.erp.model import Money
from bot.outbox.place import Place
from bot.words.severity import Severity

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)
"""A Tuesday, and a working day."""

COMPANY = AlertRuleContext(
    zone=SHANGHAI,
    default=(Place.parse("group:cidOffice"),),
    roles={"finance": frozenset(("fin02", "fin01")), "boss": frozenset(("boss01",)), "nobody": frozenset()},
)


def at(text: str) -> datetime:
    """``2026-10-01 08:30`` in Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def event(kind: str = "stock.low", subject: str = "A1", *, amount: str = "", **more: Any) -> Event:
    """``amount`` is written ``10000.50 CNY``."""
    if amount:
        number, currency = amount.split()
        more["amount"] = Money(Decimal(number), currency)
    if "due_on" in more:
        more["due_on"] = date.fromisoformat(more["due_on"])
    if "quantity" in more:
        more["quantity"] = Decimal(more["quantity"])
    received: datetime = more.pop("received_at", NOW.astimezone(UTC))
    given = {"severity": Severity.WARNING, "source": "main", "id": "e1", "at": received, **more}
    return Event(type=kind, subject=subject, received_at=received, **given)


def rule_set(text: str, company: AlertRuleContext = COMPANY) -> AlertRuleSet:
    """Rules as a company writes them."""
    return parse_rules(text.encode(), company)


def alert(of: Event, severity: Severity = Severity.WARNING, state: AlertState = AlertState.OPEN) -> Alert:
    key = correlate(of).key
    return Alert(
        id=key, key=key, event=of, state=state, severity=severity, opened_at=of.received_at, last_at=of.received_at
    )
