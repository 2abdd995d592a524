"""A source with documents that tests change, delete and hide, and that counts what it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from bot.erp.cursor import TimeCursor
from bot.erp.errors import NotFound
from bot.erp.kinds import FOLLOWED, D, Kind, kind_of
from bot.erp.kinds.quotations import Quotation, QuotationStatus
from bot.erp.model import (
    Bill,
    Change,
    Changes,
    Feed,
    Followed,
    Invoice,
    InvoiceStatus,
    Money,
    OrderLine,
    OrderStatus,
    PartnerKind,
    Payment,
    PaymentDirection,
    PaymentStatus,
    ProductionOrder,
    ProductionStatus,
    Progress,
    PurchaseLine,
    PurchaseOrder,
    ReviewState,
    SalesOrder,
    Slice,
)
from bot.erp.model.goods import DeliveryStatus, GoodsDelivery, GoodsReceipt
from bot.erp.port import Capability, ListQuery
from bot.erp.refusing import RefusingErp
from tests.bare_records import bare

NOW = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
TODAY = date(2026, 11, 24)


class LedgerClock:
    """Only tests move it."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time

    def advance(self, **span: float) -> None:
        self.time += timedelta(**span)


def yuan(amount: str) -> Money:
    return Money(Decimal(amount), "CNY")


def sales_order(number: str, day: date | None = TODAY, **more: Any) -> SalesOrder:
    values: dict[str, Any] = {
        "id": number,
        "number": number,
        "customer": "上海宏达",
        "status": OrderStatus.OPEN,
        "delivery": Progress.NONE,
        "ordered_on": day,
        "promised_on": None,
        "total": yuan("100.00"),
        "source": "main",
        "extra": {"company": "甲", "warehouse": "SH"},
        "lines": (
            OrderLine(sku="SKU1", name="螺丝", unit="个", quantity=Decimal(5), price=yuan("20.00"), amount=yuan("100")),
        ),
    }
    return SalesOrder(**{**values, **more})


def quotation(number: str, day: date | None = TODAY, **more: Any) -> Quotation:
    values: dict[str, Any] = {
        "id": number,
        "number": number,
        "customer": "上海宏达",
        "status": QuotationStatus.SENT,
        "quoted_on": day,
        "valid_until": None,
        "total": yuan("100.00"),
        "source": "main",
    }
    return Quotation(**{**values, **more})


def invoice(number: str, day: date | None = TODAY, **more: Any) -> Invoice:
    values: dict[str, Any] = {
        "id": number,
        "number": number,
        "customer": "上海宏达",
        "status": InvoiceStatus.UNPAID,
        "issued_on": day,
        "due_on": None,
        "total": yuan("100.00"),
        "open_amount": yuan("100.00"),
        "source": "main",
    }
    return Invoice(**{**values, **more})


def purchase(number: str, day: date | None = TODAY, **more: Any) -> PurchaseOrder:
    values: dict[str, Any] = {
        "vendor": "宁波钢铁",
        "status": ReviewState.APPROVED,
        "ordered_on": day,
        "total": yuan("70.00"),
        "received": Progress.NONE,
        "source": "main",
        "people": {"cgli": "陈立"},
        "lines": (PurchaseLine(sku="SKU1", name="螺丝", unit="个", quantity=Decimal(7), price=yuan("10")),),
    }
    return bare(PurchaseOrder, number, **values | more)


def production(number: str, day: date | None = TODAY, **more: Any) -> ProductionOrder:
    values: dict[str, Any] = {
        "id": number,
        "number": number,
        "sku": "SKU1",
        "name": "螺丝",
        "unit": "个",
        "planned": Decimal(9),
        "produced": Decimal(0),
        "status": ProductionStatus.RUNNING,
        "start_on": day,
        "due_on": day,
        "source": "main",
    }
    return ProductionOrder(**{**values, **more})


def bill(number: str, day: date | None = TODAY, **more: Any) -> Bill:
    values: dict[str, Any] = {
        "id": number,
        "number": number,
        "vendor": "宁波钢铁",
        "status": InvoiceStatus.UNPAID,
        "issued_on": day,
        "due_on": None,
        "total": yuan("100.00"),
        "open_amount": yuan("100.00"),
        "reference": "V-9",
        "source": "main",
    }
    return Bill(**{**values, **more})


def payment(number: str, day: date | None = TODAY, **more: Any) -> Payment:
    values: dict[str, Any] = {
        "id": number,
        "number": number,
        "partner": "上海宏达",
        "partner_kind": PartnerKind.CUSTOMER,
        "direction": PaymentDirection.RECEIVED,
        "status": PaymentStatus.BOOKED,
        "paid_on": day,
        "amount": yuan("50.00"),
        "source": "main",
    }
    return Payment(**{**values, **more})


def receipt(number: str, day: date | None = TODAY, **more: Any) -> GoodsReceipt:
    values: dict[str, Any] = {
        "id": number,
        "number": number,
        "order_numbers": ("PO-1",),
        "vendor": "宁波钢铁",
        "received_on": day,
        "source": "main",
    }
    return GoodsReceipt(**{**values, **more})


def delivery(number: str, day: date | None = TODAY, **more: Any) -> GoodsDelivery:
    values: dict[str, Any] = {
        "id": number,
        "number": number,
        "order_number": "SO-1",
        "customer": "上海宏达",
        "status": DeliveryStatus.PLANNED,
        "planned_on": day,
        "shipped_on": None,
        "source": "main",
    }
    return GoodsDelivery(**{**values, **more})


class Ledger(RefusingErp):
    """Tells changes by their time alone, as most ERPs do, so that equal times are the rule."""

    capabilities = frozenset(Capability)
    feeds = frozenset(Feed)

    def __init__(self, clock: LedgerClock, *documents: Any, name: str = "main") -> None:
        self.name = name
        self.clock = clock
        self.kept: dict[Followed, dict[str, Any]] = {kind.followed: {} for kind in FOLLOWED}
        self.times: dict[Followed, dict[str, datetime]] = {kind.followed: {} for kind in FOLLOWED}
        self.asked: list[str] = []
        self.error: Exception | None = None
        self.error_after = 0
        """How many more calls are answered before ``error``."""
        self.save(*documents)

    def save(self, *documents: Any) -> None:
        for document in documents:
            area = _area(document)
            self.kept[area][document.number] = document
            self.times[area][document.number] = self.clock.now()

    def delete(self, area: Followed, number: str) -> None:
        """Delete a document: nothing tells it."""
        del self.kept[area][number], self.times[area][number]

    def fail(self, error: Exception, *, after: int = 0) -> None:
        self.error, self.error_after = error, after

    async def document(self, kind: Kind[D], number: str) -> D:
        self._called(f"{kind.call} {number}")
        for document in self.kept[kind.followed].values():
            if document.number.casefold() == number.casefold():
                return document  # type: ignore[no-any-return]
        raise NotFound(number, source=self.name)

    async def documents(self, kind: Kind[D], query: ListQuery) -> Slice[D]:
        self._called(kind.list_call)
        found = kind.pick(self.kept[kind.followed].values(), query, self.clock.now().date())
        return Slice(items=tuple(_without_lines(each) for each in found.items), total=found.total)

    async def changed_since(self, area: Followed, cursor: str, *, limit: int) -> Changes:
        self._called("changes")
        at = TimeCursor.parse(cursor)
        since = at.since() or NOW - timedelta(days=9_000)
        rows = sorted((time, number) for number, time in self.times[area].items() if time >= since)
        changes = [Change(area=area, key=number, changed_at=time) for time, number in rows[: at.fetch_size(limit)]]
        return at.next_changes(area, changes, limit=limit)

    async def close(self) -> None:
        pass

    def _called(self, what: str) -> None:
        self.asked.append(what)
        if self.error is not None:
            if self.error_after == 0:
                raise self.error
            self.error_after -= 1


class LedgerOfBatches(Ledger):
    """One that can read many documents at once."""

    async def read_documents(self, area: Followed, numbers: Sequence[str]) -> tuple[Any, ...]:
        self._called("batch")
        known = self.kept[area]
        found = map(known.get, numbers)
        return tuple(each for each in found if each is not None)


def _without_lines(document: Any) -> Any:
    match document:
        case SalesOrder():
            return replace(document, lines=())
        case PurchaseOrder() | GoodsDelivery():
            return replace(document, lines=())
        case Payment():
            return replace(document, settles=())
    return document


def _area(document: Any) -> Followed:
    return kind_of(document).followed
