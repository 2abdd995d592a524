"""Watches: a figure that crosses somebody's limit opens an alert in their chat, whatever the rules say.

It ends when the figure is back on the other side. A watch without a limit tells every change, as news.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from bot.alerts.advancing import Report
from bot.alerts.board import Watch
from bot.alerts.event import CUSTOM, Event, Severity
from bot.alerts.matter import Effect, Matter
from bot.alerts.targeting import watch_key
from bot.alerts.unit import Unit
from bot.erp.model import Area

_AREAS = {
    "stock": Area.STOCK,
    "invoice": Area.FINANCE,
    "order": Area.SALES,
    "po": Area.PURCHASING,
    "production": Area.PRODUCTION,
}


def reports_of(unit: Unit, event: Event, severity: Severity) -> Iterator[Report]:
    """Yield what an event, or a figure that was polled, is to the watches on its subject."""
    for watch in unit.ledger.watches_on(event.subject):
        effect = effect_on(watch, event)
        if effect is None:
            continue
        matter = Matter(watch_key(watch, event), effect)
        if effect is Effect.RESOLVES:
            latest = unit.ledger.latest(matter.key)
            if latest is None or not latest.is_open:
                continue  # it is where it should be, as it was before
        yield Report(event, severity, matter)


def effect_on(watch: Watch, event: Event) -> Effect | None:
    """Return what an event does to the matter of a watch, None if it does not concern it."""
    if watch.subject.casefold() != event.subject.casefold():
        return None
    if not event.type.startswith(CUSTOM) and _AREAS.get(event.type.partition(".")[0]) is not watch.area:
        return None
    if watch.comparison is None or watch.limit is None:
        return Effect.INFORMS
    figure = _figure(watch, event)
    if figure is None:
        return None
    return Effect.OPENS if watch.comparison.holds(figure, watch.limit) else Effect.RESOLVES


def _figure(watch: Watch, event: Event) -> Decimal | None:
    if watch.area is Area.STOCK:
        return event.quantity
    return None if event.amount is None else event.amount.amount
