"""What the rules would do with events, and why: for ``dingerp routes test``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.alerts.alert import Alert, AlertState
from bot.alerts.event import Effect, Event, correlate
from bot.alerts.routing import RuleSuppression, Target
from bot.alerts.rules.rule_set import AlertRuleSet
from bot.outbox.place import Place
from bot.words.severity import Severity


@dataclass(frozen=True, slots=True)
class PlaceOutcome:
    """The result at one place: a card at ``shows_at``, unless a ``suppression`` holds it back."""

    target: Target
    shows_at: datetime
    suppression: RuleSuppression | None
    card: str
    """The name of the card's template."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The rules' result for one event, or one part."""

    event: Event
    effect: Effect
    key: str
    severity: Severity
    graded_by: str
    outcomes: tuple[PlaceOutcome, ...]
    why: tuple[str, ...]

    @property
    def places(self) -> tuple[Place, ...]:
        """Its places, suppressed or not."""
        return tuple(outcome.target.place for outcome in self.outcomes)


def explain(rules: AlertRuleSet, events: Iterable[Event], now: datetime) -> tuple[Explanation, ...]:
    """Return what happens to each event at ``now``. Alerts of earlier events are open and may inhibit later ones."""
    opened: dict[str, Alert] = {}
    explanations = []
    for event in events:
        explanation = _explain_one(rules, event, now, tuple(opened.values()))
        explanations.append(explanation)
        if explanation.effect is Effect.OPENS:
            opened[explanation.key] = _opened(explanation, now)
        else:
            opened.pop(explanation.key, None)
    return tuple(explanations)


def _explain_one(rules: AlertRuleSet, event: Event, now: datetime, others: tuple[Alert, ...]) -> Explanation:
    correlation = correlate(event)
    severity, graded_by = rules.graded(event)
    routing = rules.route(event, severity, now)
    inhibition = rules.inhibited(event, severity, others)
    outcomes = tuple(
        PlaceOutcome(
            target=target,
            shows_at=rules.shows_at(target, severity, now + target.wait),
            suppression=inhibition or rules.silenced(event, severity, target.place, now),
            card="alert" if target.group == correlation.key else "alert_group",
        )
        for target in routing.targets
    )
    return Explanation(
        event=event,
        effect=correlation.effect,
        key=correlation.key,
        severity=severity,
        graded_by=graded_by,
        outcomes=outcomes,
        why=routing.why,
    )


def _opened(explanation: Explanation, now: datetime) -> Alert:
    return Alert(
        id=explanation.key,
        key=explanation.key,
        event=explanation.event,
        state=AlertState.OPEN,
        severity=explanation.severity,
        opened_at=now,
        last_at=now,
    )
