"""Inhibitions and silences of the configuration."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.alerts.alert import AlertState
from bot.alerts.routing import RuleSuppression
from bot.outbox.place import Place
from bot.words.severity import Severity
from tests.alerts.rules.builders import alert, at, event, rule_set
from tests.rows import each_row

INHIBIT = """
[[inhibit]]
name = "closed"
source = {types = ["custom.closed"], when = "quantity == null"}
target = {types = ["stock.*"], severities = ["info", "warning"]}
equal = ["source", "warehouse"]
"""
CLOSED = alert(event("custom.closed", "W1", warehouse="W1", data={"resolved": False}))


@each_row(
    ("what", "severity", "others", "is_held"),
    [
        (event(warehouse="W1"), Severity.WARNING, [CLOSED], True),
        (event(warehouse="W1"), Severity.WARNING, [], False),
        (event(warehouse="W2"), Severity.WARNING, [CLOSED], False),
        (event(warehouse="W1", source="other"), Severity.WARNING, [CLOSED], False),
        (event(warehouse="W1"), Severity.CRITICAL, [CLOSED], False),
        (event("order.late", warehouse="W1"), Severity.WARNING, [CLOSED], False),
        (event(warehouse="W1"), Severity.WARNING, [alert(CLOSED.event, state=AlertState.RESOLVED)], False),
        (event(warehouse="W1"), Severity.WARNING, [alert(event("order.late", warehouse="W1")), CLOSED], True),
    ],
)
def test_inhibited(what: object, severity: Severity, others: list[object], is_held: bool) -> None:
    suppression = rule_set(INHIBIT).inhibited(what, severity, others)  # type: ignore[arg-type]  # the table's
    assert suppression == (RuleSuppression("closed: while custom.closed W1 is open", None) if is_held else None)


def test_no_alert_inhibits_itself() -> None:
    rules = rule_set('[[inhibit]]\nsource = {types = ["stock.*"]}\ntarget = {types = ["stock.*"]}\n')
    low, out = event(warehouse="W1"), event("stock.out", warehouse="W1")
    assert rules.inhibited(low, Severity.WARNING, [alert(out)]) is None, "low and out are one matter"
    assert rules.inhibited(low, Severity.WARNING, [alert(event("stock.out", "B2"))]) == RuleSuppression(
        "inhibit 1: while stock.out B2 is open", None
    )


SILENCES = """
[[silences]]
name = "stocktaking"
from = 2026-10-01T08:00:00
until = 2026-10-02
types = ["stock.*"]
places = ["group:cidA", "cidB"]
comment = "we count"

[[silences]]
until = 2026-10-03T00:00:00Z
when = "subject == 'A1'"
"""
A, C = Place.parse("group:cidA"), Place.parse("group:cidC")
FIRST = RuleSuppression("stocktaking: until 2026-10-02 00:00, we count", at("2026-10-02 00:00"))
SECOND = RuleSuppression("silence 2: until 2026-10-03 08:00", datetime(2026, 10, 3, tzinfo=UTC))


@each_row(
    ("subject", "place", "now", "suppression"),
    [
        ("B2", A, "2026-10-01 07:59", None),
        ("B2", A, "2026-10-01 08:00", FIRST),
        ("B2", A, "2026-10-01 23:59", FIRST),
        ("B2", A, "2026-10-02 00:00", None),
        ("B2", C, "2026-10-01 12:00", None),
        ("A1", C, "2026-10-01 12:00", SECOND),
        ("A1", A, "2026-10-01 12:00", SECOND),  # the one that lasts longest
        ("A1", A, "2026-10-03 08:00", None),
    ],
)
def test_silenced(subject: str, place: Place, now: str, suppression: RuleSuppression | None) -> None:
    assert rule_set(SILENCES).silenced(event(subject=subject), Severity.INFO, place, at(now)) == suppression


def test_other_types_are_not_silenced() -> None:
    assert rule_set(SILENCES).silenced(event("order.late", "B2"), Severity.INFO, A, at("2026-10-01 12:00")) is None


def test_revive() -> None:
    assert (rule_set("default = true\n").revive.seconds, rule_set('revive = "30m"').revive.seconds) == (4 * 3600, 1800)
