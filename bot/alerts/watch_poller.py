"""Polls what people watch (``/watch``): figures of stock, and documents.

The hub is asked as for a question, all sources together: the person who set the limit saw that figure. A stale answer,
or one that lacks a source, says nothing about a limit and is ignored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.alerts.alert import Watch
from bot.alerts.event import Effect, Event, EventType
from bot.alerts.intake.areas import orders, production, purchasing
from bot.alerts.intake.areas.area import comparable_fields, format_amount, format_date, without_blanks
from bot.alerts.intake.areas.stock import data_of
from bot.alerts.intake.normalization import normalize, split_events
from bot.alerts.intake.poll_state import NORMAL, Checkpoint, CloudEvent, PollConfig, PolledSubject, PollStore
from bot.alerts.intake.port import EventState
from bot.alerts.intake.source_poller import SUBJECT_RETENTION
from bot.alerts.intake.transitions import describe_changes
from bot.alerts.processing.pipeline import apply_event, watch_events
from bot.alerts.repository import AlertUnitOfWork
from bot.alerts.service import AlertUnitOfWorkRunner
from bot.erp.answer import Answer
from bot.erp.books import Books
from bot.erp.errors import ErpError
from bot.erp.hub import ErpHub
from bot.erp.model import (
    Approval,
    Area,
    Invoice,
    InvoiceStatus,
    ProductionOrder,
    ProductionStatus,
    Progress,
    PurchaseOrder,
    PurchaseStatus,
    SalesOrder,
    StockLevel,
)
from bot.errors import DingerpError

log = structlog.get_logger(__name__)

_ALL_SOURCES = ""
"""The source under which watched documents are stored: all sources are asked together."""


@dataclass(frozen=True, slots=True)
class WatchReading:
    """One watched subject as it is now: the words that are compared, and the event that reports it."""

    source: str
    code: str
    said: Mapping[str, str]
    type: str
    data: Mapping[str, object]

    def event(self, now: datetime, lines: Sequence[str]) -> Event | None:
        """Return the event; ``lines`` say what changed. None for one that the intake would reject."""
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


class WatchPoller:
    """Polls what people watch."""

    def __init__(
        self,
        erp: ErpHub,
        units: AlertUnitOfWorkRunner,
        store: PollStore,
        *,
        poll_config: PollConfig,
        now: Callable[[], datetime],
    ) -> None:
        self._erp = erp
        self._units = units
        self._store = store
        self._config = poll_config
        self._now = now
        self._next = 0
        self._is_down = False
        self._pruned_at: datetime | None = None

    async def run(self, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Poll for ever."""
        while True:
            try:
                await self.poll()
                self._is_down = False
            except DingerpError as error:  # the store
                if not self._is_down:
                    log.warning("poll.watches_down", error=type(error).__name__, detail=error.detail)
                self._is_down = True
            await sleep(self._config.seconds)

    async def poll(self) -> None:
        """Do one round; subjects that exceed its calls wait for the next round."""
        watches = await self._units.query(lambda unit: tuple(unit.repository.watches()))
        wanted: dict[tuple[Area, str, Books], list[Watch]] = {}
        for watch in watches:
            wanted.setdefault((watch.area, watch.subject.casefold(), watch.books), []).append(watch)
        groups = sorted(wanted.values(), key=lambda group: (group[0].area, group[0].subject, group[0].books.names))
        begin = self._next if self._next < len(groups) else 0
        batch = groups[begin : begin + self._config.calls]
        self._next = begin + len(batch)
        for area in dict.fromkeys(group[0].area for group in batch):
            await self._poll_area(area, [group for group in batch if group[0].area is area])
        if self._pruned_at is None or self._now() - self._pruned_at > timedelta(days=1):
            self._pruned_at = self._now()
            await self._store.prune(_ALL_SOURCES, self._pruned_at - SUBJECT_RETENTION)

    async def _poll_area(self, area: Area, groups: Sequence[Sequence[Watch]]) -> None:
        readings: dict[str, tuple[WatchReading, Sequence[Watch]]] = {}
        for group in groups:
            reading = await self._read(area, group[0])
            if reading is not None:
                readings[_known_as(reading, group[0]).casefold()] = (reading, group)
        if not readings:
            return
        name, now = f"watch-{area}", self._now()
        before = (await self._store.positions(_ALL_SOURCES)).get(name)
        known = await self._store.subjects(_ALL_SOURCES, name, list(readings))
        events: list[Event] = []
        subjects: list[PolledSubject] = []
        for key, (reading, group) in readings.items():
            old = known.get(key)
            # A state older than all of these watches is no baseline: it was read for somebody else.
            is_first = old is None or old.seen_at < min(watch.made_at for watch in group)
            lines = [] if is_first or old is None else describe_changes(old.said, reading.said)
            event = reading.event(now, lines) if area is Area.STOCK or lines else None
            if event is not None:
                events.append(event)
            if area is not Area.STOCK:
                subjects.append(
                    PolledSubject(
                        code=_known_as(reading, group[0]),
                        state=NORMAL,
                        told=True,
                        at=now,
                        said=reading.said,
                        seen_at=now,
                    )
                )
        if events:
            await self._units.transact(lambda unit: _apply_to_watches(unit, events))
        if subjects:
            # Reported before it is stored: a change reported twice is the same news, one never reported is lost.
            position = before or Checkpoint(source=_ALL_SOURCES, area=name)
            await self._store.advance(before, replace(position, round=position.round + 1), subjects, ())

    async def _read(self, area: Area, watch: Watch) -> WatchReading | None:
        """Return the present state in the books that are watched; None where it cannot be relied on."""
        code, erp = watch.subject, self._erp.within(watch.books)
        try:
            match area:
                case Area.STOCK:
                    return _reading_of(await erp.stock(code), _stock)
                case Area.SALES:
                    return _reading_of(await erp.order(code), _order)
                case Area.FINANCE:
                    return _reading_of(await erp.invoice(code), _invoice)
                case Area.PURCHASING:
                    return _reading_of(await erp.purchase_order(code), _purchase_order)
                case Area.PRODUCTION:
                    return _reading_of(await erp.production_order(code), _production_order)
        except ErpError:
            pass  # counted by the hub; a source that is down is logged by its own poller
        return None


def _known_as(reading: WatchReading, watch: Watch) -> str:
    """Return what a watched subject is stored under: the same number may be watched in several books."""
    return " @".join((reading.code, *watch.books.names))


def _apply_to_watches(unit: AlertUnitOfWork, events: Sequence[Event]) -> None:
    """Report the events to the watches, except what their alerts show already."""
    unit.repository.expect((), [event.subject for event in events])
    for event in events:
        for report in watch_events(unit, event, event.severity):
            latest = unit.repository.latest(report.correlation.key)
            if report.correlation.effect is Effect.OPENS and latest is not None and latest.is_open:
                continue
            apply_event(unit, report)


def _reading_of(answer: Answer[Any], read: Callable[[Any, str], WatchReading]) -> WatchReading | None:
    return None if answer.stale or answer.failures else read(answer.value, answer.source)


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


def _invoice(invoice: Invoice, source: str) -> WatchReading:
    words = comparable_fields(
        status=invoice.status.value,
        open=format_amount(invoice.open_amount),
        due_on=format_date(invoice.due_on),
    )
    about = without_blanks(customer=invoice.customer, due_on=invoice.due_on, link=invoice.url)
    if invoice.status is InvoiceStatus.PAID:
        return WatchReading(source, invoice.number, words, EventType.INVOICE_PAID, about | {"number": invoice.number})
    title = f"{invoice.number} {invoice.customer}".strip()
    return WatchReading(source, invoice.number, words, "custom.invoice", about | {"title": title})


def _purchase_order(order: PurchaseOrder, source: str) -> WatchReading:
    approval = order.approval or Approval()
    words = comparable_fields(
        status=order.status.value,
        level=f"{approval.level}/{approval.levels}" if approval.levels > 1 else "",
        received=order.received or "",
        due_on=format_date(order.due_on),
        amount=format_amount(order.total),
    )
    is_decided = order.status in {PurchaseStatus.APPROVED, PurchaseStatus.REJECTED}
    if is_decided and order.received in (None, Progress.NONE):
        return WatchReading(source, order.number, words, EventType.PO_DECIDED, purchasing.decision_data(order))
    return WatchReading(source, order.number, words, EventType.PO_CHANGED, purchasing.data_of(order))


def _production_order(order: ProductionOrder, source: str) -> WatchReading:
    words = comparable_fields(status=order.status.value, due_on=format_date(order.due_on))
    data = production.data_of(order)
    if order.status is ProductionStatus.DONE:
        return WatchReading(source, order.number, words, EventType.PRODUCTION_DONE, data)
    title = f"{order.number} {order.name}".strip()
    return WatchReading(source, order.number, words, "custom.production", data | {"title": title})
