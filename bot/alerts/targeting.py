"""Where an alert belongs by now: by the rules, by the steps of its escalation, by who has it, by whose watch it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.alerts.alert import Alert, AlertCard
from bot.alerts.board import Watch
from bot.alerts.event import Event
from bot.alerts.hushing import WATCH
from bot.alerts.plan import Routing, Step, Target
from bot.alerts.unit import Unit
from bot.outbox.place import Place, PlaceKind


@dataclass(frozen=True, slots=True)
class Targets:
    """One target for each place, the first that names it, and all steps of escalation, the earliest first."""

    by_place: dict[Place, Target]
    steps: tuple[Step, ...]
    why: tuple[str, ...]

    def at(self, card: AlertCard) -> Target:
        """Return how a card is treated; one that the rules no longer speak of is kept up to date all the same."""
        return self.by_place.get(card.place) or Target(place=card.place, route=card.route, group=card.group)


def find_targets(unit: Unit, alert: Alert) -> Targets:
    """Return the places of an alert."""
    if alert.key.startswith(WATCH):
        routing = _watched(unit, alert)
    else:
        routing = unit.rules.route(alert.event, alert.severity, unit.now)
    by_place: dict[Place, Target] = {}
    for target in routing.targets:
        by_place.setdefault(target.place, target)
    steps = sorted((step for target in routing.targets for step in target.steps), key=lambda step: step.after)
    for step in steps[: alert.step]:
        for place in step.places:
            by_place.setdefault(place, Target(place=place, route="escalation", group=alert.key))
    if alert.assigned is not None and alert.is_open:
        place = Place(PlaceKind.PERSON, alert.assigned.user_id)
        by_place.setdefault(place, Target(place=place, route="assigned", group=alert.key))
    return Targets(by_place, tuple(steps), routing.why)


def watch_key(watch: Watch, event: Event) -> str:
    """Return the matter that a watch makes of an event: each warehouse that reports is one of its own."""
    return f"{WATCH}{watch.id}#{event.warehouse}"


def next_step(alert: Alert, targets: Targets) -> timedelta | None:
    """Return how long after the step before (or after the first showing) the next one is taken."""
    if alert.step >= len(targets.steps):
        return None
    before = targets.steps[alert.step - 1].after if alert.step else timedelta(0)
    return targets.steps[alert.step].after - before


def _watched(unit: Unit, alert: Alert) -> Routing:
    watches = unit.ledger.watches_on(alert.event.subject)
    watch = next((one for one in watches if watch_key(one, alert.event) == alert.key), None)
    if watch is None:
        return Routing((), ("the watch was given up",))
    place = Place(PlaceKind.PERSON, watch.user_id)
    return Routing((Target(place=place, route="watch", group=alert.key),), (f"watched by {watch.user_id}",))
