"""The tree of routes.

At each level the first matching route takes the event; with ``continue`` the following routes are tried, too. The same
applies inside a route. A route takes the event itself if none of its inner routes does. The root matches every event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from bot.alerts.event import Event, EventType, correlate
from bot.alerts.routing import EscalationStep, Routing, Target
from bot.alerts.rules.condition import Condition
from bot.alerts.rules.facts import VARIABLES, Facts
from bot.alerts.rules.schedule import DigestSchedule, Roster, TimeWindow
from bot.outbox.delivery import DingWay
from bot.outbox.place import Place
from bot.words.severity import Severity


class DynamicTarget(Enum):
    """A target that depends on the event."""

    OWNER = "owner"
    """The places of the event's owner, otherwise of its warehouse, from the table ``[owners]``."""


RouteTarget = Place | DynamicTarget | Roster


@dataclass(frozen=True, slots=True)
class EscalationRule:
    """An escalation step as written in the rules."""

    after: timedelta
    to: tuple[RouteTarget, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteOptions:
    """Where and when a route sends events; inner routes inherit it."""

    to: tuple[RouteTarget, ...] = ()
    group_by: tuple[str, ...] | None = None
    """Variables shared by the alerts on one card; empty: all alerts of the route; None: one card for each alert."""
    wait: timedelta = timedelta(0)
    interval: timedelta = timedelta(0)
    repeat: timedelta | None = None
    digest: DigestSchedule | None = None
    window: TimeWindow | None = None
    escalate: tuple[EscalationRule, ...] = ()
    top_box: bool | None = None
    """Whether groups get a top box for critical alerts; None: as in the settings."""
    ding: DingWay | None = None
    """How people are also called about urgent alerts; None: as in the settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRoute:
    """One route with its inner routes; ``name`` is unique: ``finance/overdue``."""

    name: str
    condition: Condition
    terms: RouteOptions
    continues: bool = False
    inner: tuple[AlertRoute, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTree:
    """All routes, and the owners' places."""

    root: AlertRoute
    owners: Mapping[str, tuple[Place, ...]]
    decides_in_chat: Callable[[], bool] = lambda: False
    """If set, purchase orders have approval cards, and go nowhere else unless a route names them."""
    decides_at: tuple[Place, ...] = ()
    """Where approval cards are shown: no alert repeats their content there."""

    def route(self, facts: Facts) -> Routing:
        """Return the places of an event, each once, with a line for each route tried."""
        why: list[str] = []
        targets: dict[Place, Target] = {}
        for route in _matching_routes(self.root, facts, why):
            if route is self.root and self.decides_in_chat() and _is_decided(facts.event.type):
                why.append(f"{route.name}: no, purchase orders have cards of their own for those who decide")
                continue
            for place in self._places(route, facts, why):
                if place in self.decides_at and self._has_approval_card(facts.event):
                    why.append(f"{route.name}: not to {place}, which has the approval card")
                elif place in targets:
                    why.append(f"{route.name}: {place} has it from {targets[place].route}")
                else:
                    why.append(f"{route.name}: to {place}")
                    targets[place] = self._target(place, route, facts)
            if not route.terms.to:
                why.append(f"{route.name}: to nobody")
        return Routing(tuple(targets.values()), tuple(why))

    def _has_approval_card(self, event: Event) -> bool:
        # A document that predates the bot's first look has none: it is only listed.
        return self.decides_in_chat() and _is_decided(event.type) and not event.standing

    def _target(self, place: Place, route: AlertRoute, facts: Facts) -> Target:
        terms = route.terms
        steps = (
            EscalationStep(step.after, self._resolved(step.to, facts.event, facts.now + step.after), terms.ding)
            for step in terms.escalate
        )
        return Target(
            place=place,
            route=route.name,
            group=_group(route, facts),
            wait=terms.wait,
            interval=terms.interval,
            repeat=terms.repeat,
            steps=tuple(step for step in steps if step.places),
            ding=terms.ding,
        )

    def _places(self, route: AlertRoute, facts: Facts, why: list[str]) -> tuple[Place, ...]:
        event, now, to = facts.event, facts.now, route.terms.to
        for target in to:
            if self._reached(target, event, now):
                continue
            if isinstance(target, Roster):
                why.append(f"{route.name}: nobody of [rosters.{target.name}] is on duty")
            else:
                why.append(f"{route.name}: owner {event.owner!r} of warehouse {event.warehouse!r} is not in [owners]")
        places = self._resolved(to, event, now)
        if to and not places and route is not self.root:
            # An incomplete table must not lose events.
            return self._resolved(self.root.terms.to, event, now)
        return places

    def _resolved(self, targets: tuple[RouteTarget, ...], event: Event, at: datetime) -> tuple[Place, ...]:
        return tuple(dict.fromkeys(place for target in targets for place in self._reached(target, event, at)))

    def _reached(self, target: RouteTarget, event: Event, at: datetime) -> tuple[Place, ...]:
        if isinstance(target, Roster):
            on_duty = target.on_duty(at)
            return () if on_duty is None else (on_duty,)
        return self._owned(event) if isinstance(target, DynamicTarget) else (target,)

    def _owned(self, event: Event) -> tuple[Place, ...]:
        # Account first: people who change warehouses keep their alerts.
        return self.owners.get(event.owner) or self.owners.get(event.warehouse) or ()


def digest_for(terms: RouteOptions, severity: Severity) -> DigestSchedule | None:
    """Return the digest that a card waits for. Critical alerts do not wait."""
    return None if severity is Severity.CRITICAL else terms.digest


def _matching_routes(route: AlertRoute, facts: Facts, why: list[str]) -> list[AlertRoute]:
    """Return the routes inside ``route`` that take the event, otherwise ``route`` itself."""
    found: list[AlertRoute] = []
    for inner in route.inner:
        refusal = inner.condition.refusal(facts)
        if refusal:
            why.append(f"{inner.name}: no, {refusal}")
            continue
        why.append(f"{inner.name}: yes")
        found.extend(_matching_routes(inner, facts, why))
        if not inner.continues:
            break
    return found or [route]


def _group(route: AlertRoute, facts: Facts) -> str:
    terms = route.terms
    if terms.group_by is None and digest_for(terms, facts.severity) is None:
        return correlate(facts.event).key
    shared = [f"{name}={VARIABLES[name](facts)!r}" for name in terms.group_by or ()]
    return "|".join([route.name, *shared])


def _is_decided(event_type: str) -> bool:
    """Return whether an event is about a decision, which has its own card; a late delivery is not."""
    return event_type.startswith("po.") and event_type != EventType.PO_LATE
