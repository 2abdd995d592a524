"""Which matter an event belongs to, and what it does to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.alerts.event import CUSTOM, Event, EventType


class Effect(StrEnum):
    """What an event does to its matter."""

    OPENS = "opens"
    """It is open from now on; again and again if repeated."""
    RESOLVES = "resolves"
    """It is over; news of its own if nothing was open."""
    INFORMS = "informs"
    """News: nothing stays open."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What events that share ``key`` are about; the alert lives as long as the matter is open."""

    key: str
    effect: Effect


_KINDS = {
    EventType.STOCK_LOW: ("stock", Effect.OPENS),
    EventType.STOCK_OUT: ("stock", Effect.OPENS),
    EventType.INVOICE_OVERDUE: ("invoice", Effect.OPENS),
    EventType.INVOICE_PAID: ("invoice", Effect.RESOLVES),
    EventType.ORDER_CREATED: ("order-news", Effect.INFORMS),
    EventType.ORDER_CHANGED: ("order-news", Effect.INFORMS),
    EventType.ORDER_LATE: ("order", Effect.OPENS),
    EventType.PO_SUBMITTED: ("po", Effect.OPENS),
    EventType.PO_CHANGED: ("po", Effect.OPENS),
    EventType.PO_DECIDED: ("po", Effect.RESOLVES),
    EventType.PRODUCTION_LATE: ("production", Effect.OPENS),
    EventType.PRODUCTION_DONE: ("production", Effect.RESOLVES),
}
"""Low and out are two states of one matter, and so are overdue and paid: their card changes instead of a second one."""


def matter_of(event: Event) -> Matter:
    """Return the event's matter; ``order.late`` of one company and source never mixes with another's."""
    if event.type.startswith(CUSTOM):
        kind, effect = event.type, Effect.OPENS if "resolved" in event.data else Effect.INFORMS
    else:
        kind, effect = _KINDS[EventType(event.type)]
    if event.resolved:
        effect = Effect.RESOLVES
    where = f"@{event.warehouse}" if kind == "stock" and event.warehouse else ""
    return Matter(f"{kind}:{event.source}:{event.company}:{event.subject}{where}", effect)
