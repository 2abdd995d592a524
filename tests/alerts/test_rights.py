"""Which alerts a person may see, by the rules on the documents that they are about."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.access.grants import EVERYTHING, Scope
from bot.access.people import Person
from bot.access.policy import AccessPolicy, Denied
from bot.access.rules import AccessRule
from bot.alerts.alert import Alert, AlertState, Severity
from bot.alerts.rights import AlertRights, is_within
from tests.rows import each_row

from .scenario import ZERO, event, second

BOSS = Person(user_id="boss", name="陈经理")
EVENT = event("invoice.overdue", "INV-7", at=0, owner="boss")
TOLD = replace(EVENT, company="North Ltd", warehouse="W1", category="tools", customer="Acme", supplier="Bolt Co")


def only(**restriction: str) -> Scope:
    return Scope(**{name: frozenset({word}) for name, word in restriction.items()})  # type: ignore[arg-type]


@each_row(
    ("scope", "within"),
    [
        (EVERYTHING, True),
        (only(sources="ERP"), True),
        (only(sources="other"), False),
        (only(companies="north ltd"), True),
        (only(companies="South Ltd"), False),
        (only(warehouses="w1"), True),
        (only(warehouses="W2"), False),
        (only(categories="Tools"), True),
        (only(categories="paint"), False),
        (only(partners="acme"), True),
        (only(partners="bolt co"), True),
        (only(partners="Others"), False),
        (only(partners="acme", warehouses="W2"), False),
        (Scope(own=True), True),
    ],
)
def test_an_alert_is_within_a_scope_that_covers_all_that_its_event_tells(scope: Scope, *, within: bool) -> None:
    assert is_within(TOLD, scope, BOSS) is within


def test_what_an_event_does_not_tell_is_outside() -> None:
    for name in ("companies", "warehouses", "categories", "partners"):
        assert not is_within(EVENT, only(**{name: "W1"}), BOSS)
    assert not is_within(EVENT, Scope(own=True), Person(user_id="sales01", name="陈经理"))
    assert not is_within(EVENT, Scope(own=True), None)


def test_an_alert_about_a_closed_command_is_not_seen() -> None:
    rule = AccessRule(commands=frozenset({"invoice"}), roles=frozenset({"finance"}))
    alert = Alert(
        id="a1",
        key="invoice:erp::INV-7",
        event=TOLD,
        state=AlertState.OPEN,
        severity=Severity.WARNING,
        opened_at=ZERO,
        last_at=second(0),
    )
    rights = AlertRights(AccessPolicy([rule]), BOSS, "")

    assert not rights.may_see(alert)
    with pytest.raises(Denied, match="only for"):
        rights.check(alert)
    assert AlertRights(AccessPolicy(), BOSS, "").may_see(alert)


def test_alerts_are_counted_for_who_may_see_every_document_of_their_kind() -> None:
    some = AccessRule(commands=frozenset({"invoice"}), roles=frozenset({"*"}), scope=only(partners="acme"))
    assert not AlertRights(AccessPolicy([some]), BOSS, "").may_count("invoice.overdue")
    assert AlertRights(AccessPolicy([some]), BOSS, "").may_count("order.late")
    assert AlertRights(AccessPolicy(), BOSS, "").may_count("invoice.overdue")
