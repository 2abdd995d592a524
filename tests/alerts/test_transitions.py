"""What one report makes of the newest alert of its matter, field by field."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.alerts.alert import Alert, AlertState, UserStamp
from bot.alerts.event import Correlation, Effect, Event
from bot.alerts.processing.lifecycle import AlertTransition, GradedEvent, advance
from bot.erp.model import Money
from bot.words.severity import Severity
from tests.alerts.scenario import event, second, seconds
from tests.rows import each_row

REVIVE = timedelta(hours=1)
LIN = UserStamp("lin", "Lin", second(50))


def told(at: float = 100, **changes: Any) -> Event:
    return replace(event("stock.low", "SKU1", quantity=Decimal(5), at=at), received_at=second(at), **changes)


def report(one: Event, effect: Effect = Effect.OPENS, severity: Severity = Severity.WARNING) -> GradedEvent:
    return GradedEvent(one, severity, Correlation("stock:erp::SKU1", effect))


def alert(**changes: Any) -> Alert:
    """Return an alert on which everything is set that can be."""
    values: dict[str, Any] = {
        "id": "old",
        "key": "stock:erp::SKU1",
        "event": told(90),
        "state": AlertState.OPEN,
        "severity": Severity.WARNING,
        "opened_at": second(10),
        "last_at": second(90),
        "count": 7,
        "acknowledged": LIN,
        "assigned": LIN,
        "snoozed": LIN,
        "snoozed_until": second(500),
        "step": 2,
        "escalate_at": second(600),
        "held": True,
        "look_at": second(700),
        "revivals": 3,
        "revision": 9,
    }
    return Alert(**{**values, **changes})


def resolved(**changes: Any) -> Alert:
    return alert(state=AlertState.RESOLVED, resolved_at=second(80), **changes)


def informed(**changes: Any) -> Alert:
    return alert(state=AlertState.INFORMED, **changes)


def step(latest: Alert | None, said: GradedEvent) -> tuple[AlertTransition, Alert]:
    return advance(latest, said, revive=REVIVE, new_id="new")


@each_row(
    ("effect", "turn", "state"),
    [
        (Effect.OPENS, AlertTransition.OPENED, AlertState.OPEN),
        (Effect.RESOLVES, AlertTransition.INFORMED, AlertState.INFORMED),
        (Effect.INFORMS, AlertTransition.INFORMED, AlertState.INFORMED),
    ],
)
def test_the_first_report_begins_an_alert(effect: Effect, turn: AlertTransition, state: AlertState) -> None:
    said = report(told(), effect, Severity.CRITICAL)
    new = Alert(
        id="new",
        key="stock:erp::SKU1",
        event=said.event,
        state=state,
        severity=Severity.CRITICAL,
        opened_at=second(100),
        last_at=second(100),
    )
    assert step(None, said) == (turn, new)
    assert (new.count, new.revision) == (1, 1)


@each_row("latest", [alert(), resolved(), informed()])
@each_row("effect", list(Effect))
def test_what_is_older_than_the_last_is_only_counted(latest: Alert, effect: Effect) -> None:
    assert step(latest, report(told(89), effect)) == (AlertTransition.OUTDATED, replace(latest, count=8))


def test_of_the_same_moment_the_later_report_counts() -> None:
    said = report(told(90, quantity=Decimal(4)))
    assert step(alert(), said)[0] is AlertTransition.UPDATED


def test_a_clock_that_is_ahead_counts_as_when_it_was_received() -> None:
    ahead = replace(told(), at=second(10_000))
    turn, new = step(None, report(ahead))
    assert (turn, new.opened_at, new.last_at) == (AlertTransition.OPENED, second(100), second(100))
    assert step(replace(new, event=ahead), report(told(99)))[0] is AlertTransition.OUTDATED
    assert step(replace(new, event=ahead), report(told(101)))[0] is AlertTransition.REPEATED


@pytest.mark.parametrize("effect", [Effect.OPENS, Effect.INFORMS])
def test_the_same_again_is_counted_and_shows_nothing_new(effect: Effect) -> None:
    said = report(told(), effect)
    again = replace(alert(), event=said.event, last_at=second(100), count=8)
    assert step(alert(), said) == (AlertTransition.REPEATED, again)


SHOWN = {
    "source": "other",
    "type": "stock.out",
    "subject": "SKU2",
    "severity": Severity.INFO,
    "resolved": True,
    "company": "c",
    "warehouse": "w",
    "customer": "c",
    "supplier": "s",
    "category": "c",
    "owner": "o",
    "amount": Money(Decimal(1), "CNY"),
    "quantity": Decimal(4),
    "due_on": second(0).date(),
    "title": "t",
    "link": "l",
    "data": {"a": "b"},
    "tags": {"a": "b"},
}


@each_row("name", [one.name for one in fields(Event)])
def test_whatever_a_card_could_show_is_a_change(name: str) -> None:
    said = report(told(**{name: SHOWN[name]}) if name in SHOWN else told(id="x", part=3))
    assert name in SHOWN or name in ("id", "part", "at", "received_at", "standing")
    turn, new = step(alert(), said)
    counted = replace(alert(), event=said.event, last_at=second(100), count=8)
    if name in SHOWN:
        assert (turn, new) == (AlertTransition.UPDATED, replace(counted, revision=10))
    else:
        assert (turn, new) == (AlertTransition.REPEATED, counted)


@each_row(
    ("before", "now", "until"),
    [
        (Severity.WARNING, Severity.CRITICAL, None),
        (Severity.INFO, Severity.WARNING, None),
        (Severity.CRITICAL, Severity.WARNING, second(500)),
        (Severity.WARNING, Severity.INFO, second(500)),
    ],
)
def test_what_is_worse_ends_that_it_was_put_off(before: Severity, now: Severity, until: Any) -> None:
    said = report(told(), severity=now)
    changed = replace(
        alert(), event=said.event, last_at=second(100), count=8, severity=now, snoozed_until=until, revision=10
    )
    assert step(alert(severity=before), said) == (AlertTransition.UPDATED, changed)


def test_a_figure_that_changes_leaves_it_put_off() -> None:
    turn, new = step(alert(), report(told(quantity=Decimal(1))))
    assert (turn, new.snoozed_until) == (AlertTransition.UPDATED, second(500))


def test_the_end_closes_it_and_whatever_time_would_have_done() -> None:
    said = report(told(), Effect.RESOLVES, Severity.INFO)
    over = replace(
        alert(),
        event=said.event,
        last_at=second(100),
        state=AlertState.RESOLVED,
        resolved_at=second(100),
        snoozed_until=None,
        escalate_at=None,
        held=False,
        look_at=None,
        revision=10,
    )
    assert step(alert(), said) == (AlertTransition.RESOLVED, over)
    assert (over.count, over.severity, over.snoozed) == (7, Severity.WARNING, LIN)


def test_the_end_of_what_is_over_is_only_noted() -> None:
    said = report(told(), Effect.RESOLVES)
    assert step(resolved(), said) == (
        AlertTransition.REPEATED,
        replace(resolved(), event=said.event, last_at=second(100)),
    )


def test_it_opens_again_as_the_same_and_needs_somebody_anew() -> None:
    said = report(told(80 + 3600), severity=Severity.CRITICAL)
    again = replace(
        resolved(),
        event=said.event,
        last_at=second(3680),
        count=8,
        state=AlertState.OPEN,
        severity=Severity.CRITICAL,
        resolved_at=None,
        acknowledged=None,
        snoozed=None,
        step=0,
        revivals=4,
        revision=10,
    )
    assert step(resolved(), said) == (AlertTransition.REVIVED, again), "to the second within which it may"


def test_later_it_is_another_one() -> None:
    turn, new = step(resolved(), report(told(80 + 3601)))
    assert (turn, new.id, new.opened_at, new.count) == (AlertTransition.OPENED, "new", second(3681), 1)
    unknown = replace(resolved(), resolved_at=None)
    assert step(unknown, report(told()))[0] is AlertTransition.OPENED, "nobody knows since when it is over"


def test_news_of_what_is_over_is_news_of_its_own() -> None:
    turn, new = step(resolved(), report(told(), Effect.INFORMS))
    assert (turn, new.id, new.state) == (AlertTransition.INFORMED, "new", AlertState.INFORMED)


@pytest.mark.parametrize("effect", [Effect.INFORMS, Effect.RESOLVES])
def test_news_goes_on_for_a_while_and_then_begins_anew(effect: Effect) -> None:
    last = second(90) + REVIVE
    soon = report(told((last - second(0)).total_seconds(), quantity=Decimal(4)), effect)
    assert step(informed(), soon) == (
        AlertTransition.UPDATED,
        replace(informed(), event=soon.event, last_at=last, count=8, revision=10),
    )
    late = report(told((last + seconds(1) - second(0)).total_seconds()), effect)
    turn, new = step(informed(), late)
    assert (turn, new.id, new.state) == (AlertTransition.INFORMED, "new", AlertState.INFORMED)


def test_what_opens_after_news_is_an_alert_of_its_own() -> None:
    turn, new = step(informed(), report(told()))
    assert (turn, new.id, new.state) == (AlertTransition.OPENED, "new", AlertState.OPEN)
