"""An ERP of a few records that tests change, and a bot that polls it with its real hub, intake and database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from heapq import nsmallest
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from bot.alerts.intake.batched_intake import BatchedIntake
from bot.alerts.intake.poll_state import CloudEvent, PollConfig
from bot.alerts.intake.port import IntakeOutcome, UnreadableEvent
from bot.alerts.intake.source_poller import SourcePoller
from bot.erp.cursor import TimeCursor
from bot.erp.document_calls import DocumentCalls
from bot.erp.errors import NotFound, Unsupported
from bot.erp.hub import ErpHub
from bot.erp.kinds import D, Kind
from bot.erp.model import (
    Approval,
    Area,
    Change,
    Changes,
    Invoice,
    InvoiceStatus,
    Money,
    OrderStatus,
    Product,
    ProductionOrder,
    ProductionStatus,
    Progress,
    PurchaseOrder,
    Quantities,
    Review,
    ReviewState,
    SalesOrder,
    Slice,
    StockLevel,
)
from bot.erp.port import Capability, ListQuery
from bot.mechanisms.metrics import Metrics
from bot.store.alerts.events import EventSearch, StoredEvents, StoredPolls
from bot.store.database import Database

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 11, 24, 9, tzinfo=ZONE)
TODAY = START.date()


class Clock:
    """Only tests move it."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    def advance(self, **span: float) -> None:
        self.time += timedelta(**span)


class StubErp(DocumentCalls):
    """Tells changes by their time alone, as most ERPs do, so that equal times are the rule."""

    capabilities = frozenset(Capability)

    def __init__(self, clock: Clock, name: str = "main") -> None:
        self.name = name
        self.clock = clock
        self.records: dict[Area, dict[str, Any]] = {area: {} for area in Area}
        self.times: dict[Area, dict[str, datetime]] = {area: {} for area in Area}
        self.asked: list[str] = []
        self.failing: Callable[[str], Exception | None] = lambda call: None

    def stocked(self, sku: str, available: str, reorder_point: str | None = "50") -> None:
        level = StockLevel(
            product=Product(sku=sku, name="螺丝", unit="个", category="紧固件"),
            total=Quantities(on_hand=Decimal(available), available=Decimal(available)),
            per_warehouse=(),
            reorder_point=None if reorder_point is None else Decimal(reorder_point),
            as_of=self.clock.now(),
        )
        self.keep(Area.STOCK, sku, level)

    def invoiced(
        self, number: str, due_on: date, status: InvoiceStatus = InvoiceStatus.UNPAID, owed: str = "8"
    ) -> None:
        paid = status is InvoiceStatus.PAID
        invoice = Invoice(
            id=number, number=number, customer="上海泵业", status=status, issued_on=TODAY - timedelta(days=40),
            due_on=due_on, total=Money(Decimal("12.50"), "CNY"),
            open_amount=Money(Decimal(0) if paid else Decimal(owed), "CNY"), changed_at=self.clock.now(),
        )  # fmt: skip
        self.keep(Area.FINANCE, number, invoice)

    def ordered(
        self, number: str, promised_on: date, status: OrderStatus = OrderStatus.OPEN, total: str = "56"
    ) -> None:
        order = SalesOrder(
            id=number, number=number, customer="上海泵业", status=status, delivery=Progress.NONE, ordered_on=TODAY,
            promised_on=promised_on, total=Money(Decimal(total), "CNY"), salesperson="李娜",
            changed_at=self.clock.now(),
        )  # fmt: skip
        self.keep(Area.SALES, number, order)

    def requested(self, number: str, status: ReviewState = ReviewState.WAITING, total: str = "98") -> None:
        decided = status in {ReviewState.APPROVED, ReviewState.REJECTED}
        order = PurchaseOrder(
            id=number, number=number, vendor="宁波钢铁", review=Review(
                state=status, version=self.clock.now().isoformat(), requester="buyer01", people={"boss01": "林明川"},
                approval=Approval(
                    pending_for=() if decided else ("boss01",), decided_by="boss01" if decided else "",
                    decided_at=self.clock.now() if decided else None, reason="太贵" if decided else "",
                ),
            ),
            ordered_on=TODAY, due_on=TODAY + timedelta(days=9),
            total=Money(Decimal(total), "CNY"), received=Progress.NONE, changed_at=self.clock.now(), )  # fmt: skip
        self.keep(Area.PURCHASING, number, order)

    def made(self, number: str, due_on: date, status: ProductionStatus = ProductionStatus.RUNNING) -> None:
        order = ProductionOrder(
            id=number, number=number, sku="PUMP-10", name="水泵", unit="台", planned=Decimal(40), produced=Decimal(25),
            status=status, start_on=TODAY - timedelta(days=9), due_on=due_on, changed_at=self.clock.now(),
        )  # fmt: skip
        self.keep(Area.PRODUCTION, number, order)

    def keep(self, area: Area, key: str, record: Any) -> None:
        self.records[area][key] = record
        self.times[area][key] = self.clock.now()

    def drop(self, area: Area, key: str) -> None:
        """Delete a record: nothing tells it."""
        del self.records[area][key], self.times[area][key]

    async def stock(self, sku: str) -> StockLevel:
        found: StockLevel = self._one(Area.STOCK, "stock", sku)
        return found

    async def document(self, kind: Kind[D], number: str) -> D:
        found: D = self._one(kind.area, kind.call, number)
        return found

    async def documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        return self._many(kind.area, kind, query)

    async def changed_since(self, area: Area, cursor: str, *, limit: int) -> Changes:
        self._called("changes")
        if Capability.CHANGED_SINCE not in self.capabilities:
            raise Unsupported("no changes here", source=self.name)
        at = TimeCursor.parse(cursor)
        since = (at.since() or datetime(2000, 1, 1, tzinfo=UTC)).astimezone(ZONE)
        rows = nsmallest(at.fetch_size(limit), ((time, key) for key, time in self.times[area].items() if time >= since))
        changes = [Change(area=area, key=key, changed_at=time) for time, key in rows]
        return at.next_changes(area, changes, limit=limit)

    async def close(self) -> None:
        pass

    def _one(self, area: Area, call: str, key: str) -> Any:
        self._called(f"{call} {key}")
        found = self.records[area].get(key.upper())
        if found is None:
            raise NotFound(key, source=self.name)
        return found

    def _many(self, area: Area, way: Any, query: ListQuery) -> Slice[Any]:
        self._called(f"list {area} {query.offset}")
        found: Slice[Any] = way.pick(self.records[area].values(), query, self.clock.now().date())
        return found

    def _called(self, what: str) -> None:
        self.asked.append(what)
        error = self.failing(what)
        if error is not None:
            raise error


class Killed(BaseException):
    """The process ends here."""


class InterruptibleIntake:
    """The real intake; ``before`` and ``after`` are called around each hand-over and may end the process."""

    def __init__(self, intake: BatchedIntake) -> None:
        self._intake = intake
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None
        self.receipts: list[IntakeOutcome] = []

    async def accept(
        self, source: str, events: Sequence[Mapping[str, object] | UnreadableEvent], *, via: str
    ) -> IntakeOutcome:
        self.before()
        self.receipts.append(await self._intake.accept(source, events, via=via))
        self.after()
        return self.receipts[-1]


async def no_pause(_: float) -> None:
    """Stand for a pause between two attempts."""


@dataclass
class PollingHarness:
    """What the composition root makes of one source."""

    erp: Any
    database: Database
    clock: Clock
    poll_config: PollConfig = field(default_factory=PollConfig)

    def __post_init__(self) -> None:
        self.metrics = Metrics()
        self.kept = StoredEvents(self.database)
        self.restart()

    def restart(self) -> None:
        """Begin as a new process does."""
        self.metrics = Metrics()
        self.door = InterruptibleIntake(BatchedIntake(self.kept, metrics=self.metrics, now=self.clock.now))
        self.store = StoredPolls(self.database)
        self.hub = ErpHub(
            [self.erp], metrics=self.metrics, now=self.clock.now, sleep=no_pause, monotonic=self._monotonic
        )
        self.poller = SourcePoller(
            self.hub.source_client(self.erp.name), self.store, self.door, poll_config=self.poll_config,
            metrics=self.metrics, now=self.clock.now,
        )  # fmt: skip

    def _monotonic(self) -> float:
        return (self.clock.now() - START).total_seconds()

    async def poll(self, times: int = 1, **span: float) -> bool:
        """Poll, and let time go by after each round: a minute, or as said."""
        good = True
        for _ in range(times):
            good = await self.poller.poll()
            self.clock.advance(**(span or {"seconds": 60}))
        return good

    async def events(self) -> list[CloudEvent]:
        """Return all events that were accepted, oldest first."""
        found = await self.kept.search(EventSearch(limit=100_000))
        assert not [(event.raw, event.reason) for event in found if event.reason]
        return [orjson.loads(event.raw) for event in reversed(found)]

    async def told(self) -> list[str]:
        """Return the events in short, oldest first."""
        return [short(event) for event in await self.events()]


def short(event: CloudEvent) -> str:
    """Return type and subject, with ``over`` where the matter is."""
    data = event["data"]
    assert isinstance(data, dict)
    return f"{event['type']} {event['subject']}" + (" over" if data.get("resolved") else "")
