"""A watched subject as an ERP reports it: the compared texts, and the event that reports a change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

import structlog

from bot.access.areas import AREA_COMMANDS
from bot.alerts.event import CUSTOM, Event, EventType
from bot.alerts.intake.areas import orders, production, purchasing
from bot.alerts.intake.areas.area import comparable_fields, format_amount, format_date, without_blanks
from bot.alerts.intake.areas.stock import data_of
from bot.alerts.intake.normalization import normalize, split_events
from bot.alerts.intake.poll_state import CloudEvent
from bot.alerts.intake.port import EventState
from bot.erp.kinds import RULED_BY, kind_of
from bot.erp.model import (
    Invoice,
    InvoiceStatus,
    PartnerKind,
    ProductionOrder,
    ProductionStatus,
    Progress,
    PurchaseOrder,
    ReviewState,
    SalesOrder,
    StockLevel,
)

log = structlog.get_logger(__name__)

_EVENTS = {command: f"{CUSTOM}{word}" for word, command in AREA_COMMANDS.items()}
"""Command → the type of events about a change for which there is no type of its own."""


@dataclass(frozen=True, slots=True)
class WatchReading:
    """The current reading of one watched subject: the compared texts, and the event that reports it."""

    source: str
    code: str
    said: Mapping[str, str]
    type: str
    data: Mapping[str, object]

    def event(self, now: datetime, lines: Sequence[str]) -> Event | None:
        """Return the event; ``lines`` list the changes. None for one that the intake would reject."""
        data = dict(self.data)
        if lines:
            data |= {"changes": lines, "text": "\n".join(lines)}
        cloud: CloudEvent = {
            "specversion": "1.0",
            "id": f"watch-{int(now.timestamp() * 1000)}-{self.code}"[:200],
            "source": "/watch",
            "type": self.type,
            "subject": self.code,
            "time": now.isoformat(timespec="milliseconds"),
            "data": data,
        }
        received = normalize(self.source, cloud, via="poll", now=now)
        if received.state is EventState.REJECTED:
            log.warning("poll.watch_not_told", source=self.source, key=self.code, reason=received.reason)
            return None
        return split_events(received)[0]


def _stock(level: StockLevel, source: str) -> WatchReading:
    out = level.total.available is not None and level.total.available <= 0
    kind = EventType.STOCK_OUT if out else EventType.STOCK_LOW
    return WatchReading(source, level.product.sku, {}, kind, data_of(level))


def _order(order: SalesOrder, source: str) -> WatchReading:
    words = comparable_fields(
        status=order.status.value,
        delivery=order.delivery or "",
        billing=order.billing or "",
        payment=order.payment or "",
        due_on=format_date(order.promised_on),
        amount=format_amount(order.total),
    )
    return WatchReading(source, order.number, words, EventType.ORDER_CHANGED, orders.data_of(order))


def _document(document: Any, source: str) -> WatchReading:
    """Return what a document of any kind says: its state, when it is due, and what is to pay of it."""
    kind = kind_of(document)
    has_rest = kind.amounts.left is not None
    words = comparable_fields(
        status=document.status.value if hasattr(document, "status") else "",
        open=format_amount(kind.amounts.left_of(document)),
        due_on=format_date(kind.due(document)),
        amount="" if has_rest else format_amount(kind.amounts.total(document)),
    )
    partner = "supplier" if kind.partners is PartnerKind.VENDOR else "customer"
    about = without_blanks(due_on=kind.due(document), link=document.url) | without_blanks(
        **{partner: kind.partner_of(document)}
    )
    title = f"{document.number} {kind.title(document)}".strip()
    return WatchReading(
        source, document.number, words, _EVENTS[RULED_BY[kind.belongs_to(document)]], about | {"title": title}
    )


def _invoice(invoice: Invoice, source: str) -> WatchReading:
    reading = _document(invoice, source)
    if invoice.status is not InvoiceStatus.PAID:
        return reading
    data = {name: value for name, value in reading.data.items() if name != "title"} | {"number": invoice.number}
    return replace(reading, type=EventType.INVOICE_PAID, data=data)


def _purchase_order(order: PurchaseOrder, source: str) -> WatchReading:
    approval = order.review.progress
    words = comparable_fields(
        status=order.status.value,
        level=f"{approval.level}/{approval.levels}" if approval.levels > 1 else "",
        received=order.received or "",
        due_on=format_date(order.due_on),
        amount=format_amount(order.total),
    )
    is_decided = order.status in {ReviewState.APPROVED, ReviewState.REJECTED}
    if is_decided and order.received in (None, Progress.NONE):
        return WatchReading(source, order.number, words, EventType.PO_DECIDED, purchasing.decision_data(order))
    return WatchReading(source, order.number, words, EventType.PO_CHANGED, purchasing.data_of(order))


def _production_order(order: ProductionOrder, source: str) -> WatchReading:
    reading, data = _document(order, source), production.data_of(order)
    if order.status is ProductionStatus.DONE:
        return replace(reading, type=EventType.PRODUCTION_DONE, data=data)
    return replace(reading, data=data | {"title": reading.data["title"]})


_READINGS: Mapping[type, Callable[[Any, str], WatchReading]] = MappingProxyType(
    {
        StockLevel: _stock,
        SalesOrder: _order,
        Invoice: _invoice,
        PurchaseOrder: _purchase_order,
        ProductionOrder: _production_order,
    }
)
"""How stock reads, and the kinds whose changes have types of events of their own; the others read alike."""


def read_watched(record: Any, source: str) -> WatchReading:
    """Return the reading of a source's record: a `StockLevel`, or a document of a watchable kind."""
    return _READINGS.get(type(record), _document)(record, source)
