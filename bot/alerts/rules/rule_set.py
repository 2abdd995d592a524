"""The rules in force (`bot.alerts.routing.AlertRules`), and their context from the settings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from itertools import chain

from bot.alerts.alert import Alert
from bot.alerts.event import Event
from bot.alerts.routing import Routing, RuleSuppression, Target
from bot.alerts.rules.condition import Condition, UnansweredConditions
from bot.alerts.rules.facts import Facts
from bot.alerts.rules.route_tree import AlertRoute, RouteOptions, RouteTree, digest_for
from bot.alerts.rules.suppression import Inhibition, Silence
from bot.outbox.delivery import DingWay
from bot.outbox.place import Place, PlaceKind
from bot.words.severity import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRuleContext:
    """The company settings that rules refer to."""

    zone: tzinfo
    default: tuple[Place, ...] = ()
    """Where alerts go unless a rule says otherwise."""
    roles: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Role → userIds."""
    decides_in_chat: Callable[[], bool] = lambda: False
    """Whether waiting purchase orders currently have approval cards."""
    decides_at: tuple[Place, ...] = ()
    """Where these cards are shown."""

    def people(self, role: str) -> tuple[Place, ...]:
        """Return the chats of the people with a role."""
        return tuple(Place(PlaceKind.PERSON, user) for user in sorted(self.roles.get(role, ())))


ROOT = "default"
"""The name of the root route, which takes what no other route takes."""
RESERVED = frozenset((ROOT, "escalation", "assigned", "watch", "digest"))
"""Names in `AlertCard.route` for cards that were not placed by a company's route."""
REVIVE = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class SeverityThreshold:
    """Sets the severity of matching events."""

    condition: Condition
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRuleSet:
    """All rules of one document; an `bot.alerts.routing.AlertRules`."""

    zone: tzinfo
    tree: RouteTree
    revive: timedelta = REVIVE
    thresholds: tuple[SeverityThreshold, ...] = ()
    inhibitions: tuple[Inhibition, ...] = ()
    silences: tuple[Silence, ...] = ()
    unanswered: UnansweredConditions = field(default_factory=UnansweredConditions)
    _terms: Mapping[str, RouteOptions] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Index the options of the routes by name."""
        object.__setattr__(self, "_terms", {route.name: route.terms for route in _walk_routes(self.tree.root)})

    @property
    def calls_people(self) -> bool:
        """Whether any route calls people (DING)."""
        return any(terms.ding not in (None, DingWay.OFF) for terms in self._terms.values())

    def grade(self, event: Event) -> Severity:
        """Return the severity of the first matching threshold, or the event's own."""
        return self.graded(event)[0]

    def graded(self, event: Event) -> tuple[Severity, str]:
        """Return the severity, and the name of the rule that set it."""
        facts = self._received(event, event.severity)
        for threshold in self.thresholds:
            if not threshold.condition.refusal(facts):
                return threshold.severity, threshold.condition.rule
        return event.severity, "the event's own"

    def route(self, event: Event, severity: Severity, now: datetime) -> Routing:
        return self.tree.route(Facts(event, severity, now.astimezone(self.zone)))

    def inhibited(self, event: Event, severity: Severity, others: Sequence[Alert]) -> RuleSuppression | None:
        if not self.inhibitions:
            return None
        facts = self._received(event, severity)
        suppressions = (rule.suppression(facts, others, self._received) for rule in self.inhibitions)
        return next((suppression for suppression in suppressions if suppression is not None), None)

    def silenced(self, event: Event, severity: Severity, place: Place, now: datetime) -> RuleSuppression | None:
        """Return the silence that suppresses the event at this place; of several, the longest."""
        if not self.silences:
            return None
        facts = Facts(event, severity, now.astimezone(self.zone))
        suppressions = [
            suppression for silence in self.silences if (suppression := silence.suppression(facts, place)) is not None
        ]
        return max(suppressions, key=lambda suppression: suppression.until or now, default=None)

    def shows_at(self, target: Target, severity: Severity, now: datetime, since: datetime | None = None) -> datetime:
        """Return when a card due at ``now`` may be shown. Critical alerts are shown at any time."""
        terms = self._terms.get(target.route)
        if terms is None or severity is Severity.CRITICAL:  # the route may have been removed since
            return now
        digest = digest_for(terms, severity)
        if digest is not None:
            return digest.comes_at(now, since)
        return now if terms.window is None else terms.window.opens_at(now)

    @property
    def groups(self) -> frozenset[str]:
        """The ids of all groups named by routes, escalations or owners."""
        routes = list(_walk_routes(self.tree.root))
        named = (route.terms.to for route in routes)
        later = (rule.to for route in routes for rule in route.terms.escalate)
        places = chain.from_iterable((*named, *later, *self.tree.owners.values()))
        return frozenset(each.id for each in places if isinstance(each, Place) and each.kind is PlaceKind.GROUP)

    @property
    def has_top_boxes(self) -> bool:
        return any(terms.top_box for terms in self._terms.values())

    def top_box(self, route: str) -> bool | None:
        terms = self._terms.get(route)
        return None if terms is None else terms.top_box

    def _received(self, event: Event, severity: Severity) -> Facts:
        return Facts(event, severity, event.received_at.astimezone(self.zone))


def _walk_routes(route: AlertRoute) -> Iterator[AlertRoute]:
    yield route
    for inner in route.inner:
        yield from _walk_routes(inner)
