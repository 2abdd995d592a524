"""Scenarios over time: "at 0 it is low, at 30 this group sees that", with a clock that tests move.

What places see is written as one line for each call that the outbox would make: ``30 group:a card1 SKU1=5 open``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Protocol, TypeVar

from bot.alerts.alert import Alert, AlertCard, AlertState, UserStamp
from bot.alerts.event import Event, correlate
from bot.alerts.processing import pipeline, timers
from bot.alerts.repository import AlertRepository, AlertUnitOfWork, LatenessPolicy
from bot.alerts.routing import EscalationStep, Routing, RuleSuppression, Target
from bot.outbox.delivery import Delivery
from bot.outbox.place import Place
from bot.words.severity import Severity

T = TypeVar("T")

ZERO = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
"""Second 0 of every test: nine in the morning in Shanghai."""

A, B, BOSS = Place.parse("group:a"), Place.parse("group:b"), Place.parse("person:boss")

_WORDS = {AlertState.OPEN: "open", AlertState.RESOLVED: "over", AlertState.INFORMED: "news"}


def second(number: float) -> datetime:
    """Return a moment of the scenario."""
    return ZERO + timedelta(seconds=number)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def low(subject: str = "SKU1", quantity: int | None = None, **fields: Any) -> Event:
    """Return a shortage; without ``at`` it happens when it is taken."""
    return event("stock.low", subject, quantity=None if quantity is None else Decimal(quantity), **fields)


def fine(subject: str = "SKU1", **fields: Any) -> Event:
    """Return the end of a shortage."""
    return event("stock.low", subject, resolved=True, **fields)


LATE = timedelta(milliseconds=20)
"""No timer runs at the very moment for which it was set."""
_LATEST = 10 * LATE
"""How much later than on paper something is due that follows from several timers."""

_ids = count(1)
_UNSET = datetime.max.replace(tzinfo=UTC)


def event(type_: str, subject: str, *, severity: Severity = Severity.WARNING, **fields: Any) -> Event:
    at = fields.pop("at", _UNSET)
    return Event(
        source="erp",
        id=f"e{next(_ids)}",
        type=type_,
        subject=subject,
        at=second(at) if isinstance(at, int | float) else at,
        received_at=_UNSET,
        severity=severity,
        **fields,
    )


def to(place: Place, group: str = "", **terms: Any) -> Target:
    """Return a target; without ``group`` each matter has its own card."""
    return Target(place=place, route="r", group=group, **terms)


def step(after: float, *places: Place) -> EscalationStep:
    return EscalationStep(seconds(after), places)


@dataclass
class StubRules:
    """Hand-made rules; every part may be replaced while the scenario goes on."""

    targets: Sequence[Target] | Callable[[Event, Severity], Sequence[Target]] = (to(A),)
    revive: timedelta = timedelta(hours=1)
    thresholds: Callable[[Event], Severity] = lambda event: event.severity
    inhibits: Callable[[Alert, Event], bool] | None = None
    silences: list[tuple[Place | None, str, float, float]] = field(default_factory=list)
    """Place, type, and from which to which second."""
    opens: Callable[[Target, datetime], datetime] = lambda target, now: now
    """When a target shows what waits since a moment: a moment that has passed is now."""

    def grade(self, event: Event) -> Severity:
        return self.thresholds(event)

    def route(self, event: Event, severity: Severity, now: datetime) -> Routing:
        targets = self.targets(event, severity) if callable(self.targets) else self.targets
        own = correlate(event).key
        named = (replace(target, group=target.group or own) for target in targets)
        return Routing(tuple(named), ("small rules",))

    def inhibited(self, event: Event, severity: Severity, others: Sequence[Alert]) -> RuleSuppression | None:
        for other in others if self.inhibits is not None else ():
            if self.inhibits is not None and self.inhibits(other, event):
                return RuleSuppression(f"while {other.event.subject} is open", None)
        return None

    def silenced(self, event: Event, severity: Severity, place: Place, now: datetime) -> RuleSuppression | None:
        for where, type_, begin, end in self.silences:
            if where in (None, place) and event.type == type_ and second(begin) <= now < second(end):
                return RuleSuppression("planned", second(end))
        return None

    def shows_at(self, target: Target, severity: Severity, now: datetime, since: datetime | None = None) -> datetime:
        came = None if since is None else self.opens(target, since)
        return now if came is not None and came <= now else self.opens(target, now)

    @property
    def has_top_boxes(self) -> bool:
        return False

    def top_box(self, route: str) -> bool | None:
        return None


class RunInTransaction(Protocol):
    """Runs work on a repository as one unit, and returns the deliveries."""

    def __call__(self, work: Callable[[AlertRepository], T], now: datetime) -> tuple[T, list[Delivery]]: ...


class ProcessorScenario:
    """Alert processing between an ERP that reports at certain seconds and places that see cards."""

    def __init__(self, work: RunInTransaction, rules: StubRules | None = None, **terms: Any) -> None:
        self.rules = rules or StubRules()
        self.now = ZERO
        self.lines: list[str] = []
        self.deliveries: list[Delivery] = []
        self._work = work
        self._lateness = LatenessPolicy(**terms)
        self._ids = count(1)
        self._names: dict[str, str] = {}

    def at(self, number: float, *events: Event) -> list[str]:
        """Let time pass until then, with everything that is due on the way, and take events; return the new lines."""
        begin = len(self.lines)
        self._pass(second(number))
        if events:
            self.take([[event] for event in events])
        self._sweep()
        return self.lines[begin:]

    def take(self, batch: Iterable[Sequence[Event]]) -> None:
        """Take the parts of several events in one unit of work."""
        prepared = [[self._dated(part) for part in parts] for parts in batch]

        def work(unit: AlertUnitOfWork) -> None:
            for parts in prepared:
                pipeline.process_event(unit, parts)

        self.do(work)

    def do(self, work: Callable[[AlertUnitOfWork], T]) -> T:
        """Do something in one unit of work."""
        result, owed = self._work(lambda repository: work(self.unit(repository)), self.now)
        self.deliveries += owed
        newest = {delivery.card: delivery for delivery in owed}
        self.lines += sorted(self._line(delivery) for delivery in newest.values())
        return result

    def read(self, work: Callable[[AlertRepository], T]) -> T:
        return self.do(lambda unit: work(unit.repository))

    def unit(self, repository: AlertRepository) -> AlertUnitOfWork:
        return AlertUnitOfWork(
            repository=repository,
            rules=self.rules,
            now=self.now,
            new_id=lambda: f"id{next(self._ids)}",
            lateness=self._lateness,
        )

    def mark(self, user_id: str) -> UserStamp:
        return UserStamp(user_id, user_id.title(), self.now)

    def alert(self, subject: str = "SKU1", prefix: str = "") -> Alert:
        """Return the only alert about a subject."""
        found = [alert for alert in self.read(_all_alerts) if alert.event.subject == subject]
        (one,) = [alert for alert in found if alert.key.startswith(prefix)] if prefix else found
        return one

    def history(self, **whose: str) -> list[str]:
        return [note.what for note in self.read(lambda repository: repository.history(**whose))]

    def _dated(self, part: Event) -> Event:
        return replace(part, at=self.now if part.at == _UNSET else part.at, received_at=self.now)

    def _pass(self, until: datetime) -> None:
        self._sweep()
        while True:
            due = self.read(lambda repository: repository.next_due())
            if due is None or due > until + _LATEST:
                break
            assert due > self.now, "what was due was not done"
            self.now = due + LATE
            self._sweep()
        self.now = max(self.now, until)

    def _sweep(self) -> None:
        for _ in range(20):
            due = self.do(_sweep_once)
            if not due:
                return
        raise AssertionError("it is due again and again")

    def _line(self, delivery: Delivery) -> str:
        card, alerts = self.read(lambda repository: _posted(repository, delivery.ref.partition("|")[0]))
        name = self._names.setdefault(card.id, f"card{len(self._names) + 1}")
        texts = [_text(alert) for alert in alerts]
        if card.next:
            texts = [f"see {self._names.setdefault(card.next, f'card{len(self._names) + 1}')}"]
        at = (self.now - ZERO) // seconds(1)
        return f"{at} {card.place} {name} {', '.join(texts)}"


def _text(alert: Alert) -> str:
    figure = "" if alert.event.quantity is None else f"={alert.event.quantity}"
    hands = "".join(
        f" {word} {mark.user_id}" for word, mark in (("has", alert.acknowledged), ("for", alert.assigned)) if mark
    )
    again = " again" if alert.revivals and alert.is_open else ""
    return f"{alert.event.subject}{figure} {_WORDS[alert.state]}{again}{hands}"


def _posted(repository: AlertRepository, card_id: str) -> tuple[AlertCard, Sequence[Alert]]:
    card = repository.card(card_id)
    assert card is not None
    return card, repository.alerts(card.alerts)


def _sweep_once(unit: AlertUnitOfWork) -> int:
    due = timers.find_due(unit)
    timers.run_due(unit, due)
    return len(due)


def _all_alerts(repository: AlertRepository) -> list[Alert]:
    ids = dict.fromkeys(note.alert for note in repository.history(limit=100_000) if note.alert)
    return list(repository.alerts(tuple(ids)))
