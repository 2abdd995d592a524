"""What a decider should know beyond the order: last prices, stock, the supplier's record, and anything unusual.

Everything is computed from the vendor's other purchase orders in the ERP and from the stock of the products. Reads are
limited in number and time; data that does not arrive in time is left out, and the card says so.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from statistics import median
from types import MappingProxyType
from typing import Annotated, TypeVar

import structlog
from cachetools import LRUCache

from bot.erp.errors import ErpError, Unsupported
from bot.erp.model import (
    Cost,
    ErpRecord,
    Money,
    PurchaseLine,
    PurchaseOrder,
    Quantity,
    ReviewState,
    StockLevel,
)
from bot.erp.port import ListQuery
from bot.erp.source_client import SourceClient
from bot.mechanisms.single_flight import SingleFlights
from bot.words.disclosure import FieldClass

log = structlog.get_logger(__name__)

T = TypeVar("T")

MAX_LISTED, MAX_READ, MAX_LINES = 20, 6, 5
"""The vendor's orders listed, those read with their lines, and lines whose stock is queried: at most 1 + 6 + 5 calls
per revision.
"""

_BOUGHT = {ReviewState.APPROVED, ReviewState.DONE}
"""States in which a price was actually agreed."""
_MAX_NUMBERS = 3
_USUAL_FROM = 2
"""The number of orders from which a quantity counts as usual."""
_DUPLICATE_WINDOW = timedelta(days=30)
"""A second order with the same lines within this time is flagged."""
_WHOLE, _TENTH = Decimal(1), Decimal("0.1")


class MissingInsight(StrEnum):
    """A piece of information that could not be obtained."""

    HISTORY = "history"
    STOCK = "stock"


@dataclass(frozen=True, slots=True, kw_only=True)
class InsightThresholds:
    """Thresholds above which a value is flagged."""

    quantity: Decimal = Decimal(3)
    """Multiple of the usual quantity (the median of at least two orders)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastPrice:
    """The price last paid for a product, and the increase since in per cent, to one decimal; None across currencies."""

    price: Cost
    on: date | None
    number: str
    drift: Annotated[Decimal | None, FieldClass.COST]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineInsight:
    """Information about one order line; ``at_hand`` and ``incoming`` are in the line's unit."""

    last: Annotated[LastPrice | None, FieldClass.COST] = None
    at_hand: Quantity | None = None
    incoming: Quantity | None = None
    usual: Quantity | None = None
    """The usual quantity, if this one far exceeds it."""


NO_INSIGHT = LineInsight()


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierLateness:
    """How many of the vendor's open orders are late, and by how many days the worst one is."""

    awaited: int
    late: int
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Insight:
    """Insights about one revision; ``lines`` are keyed by SKU."""

    lines: Mapping[str, LineInsight] = field(default_factory=lambda: MappingProxyType({}))
    lateness: SupplierLateness | None = None
    open_orders: tuple[str, ...] = ()
    """Other orders at the vendor with outstanding goods, newest first."""
    duplicates: tuple[str, ...] = ()
    """Orders with the same lines that wait for approval or for goods."""
    past_due: bool = False
    usual_currency: str = ""
    """The usual currency, if this order's differs."""
    missing: frozenset[MissingInsight] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class InsightData:
    """The data behind insights: the vendor's orders as listed, some of them with lines, and stock by SKU."""

    listed: tuple[PurchaseOrder, ...] = ()
    read: tuple[PurchaseOrder, ...] = ()
    stock: Mapping[str, StockLevel] = field(default_factory=lambda: MappingProxyType({}))
    missing: frozenset[MissingInsight] = frozenset()


_NOTHING_FOUND = Insight()


class Insights:
    """Computes insights and caches them per revision."""

    def __init__(
        self,
        records: Callable[[str], SourceClient],
        *,
        now: Callable[[], datetime],
        seconds: float = 3.0,
        marks: InsightThresholds | None = None,
        kept: int = 500,
        fresh: timedelta = timedelta(minutes=10),
    ) -> None:
        """``records`` opens a source by its name; ``now`` is in the company's zone. ``seconds`` bounds all reads."""
        self._records = records
        self._now = now
        self._seconds = seconds
        self._marks = marks or InsightThresholds()
        self._fresh = fresh
        self._known: LRUCache[str, tuple[datetime, Insight]] = LRUCache(kept)
        self._finding: SingleFlights[str, Insight] = SingleFlights()

    async def of(self, key: str, document: ErpRecord) -> Insight:
        """Return the insight for a revision; ``key`` is its case. Concurrent callers share one search."""
        known = self.known(key)
        if known is not None:
            return known
        return await self._finding.join(key, lambda: self._find(key, document))

    def known(self, key: str) -> Insight | None:
        """Return a cached insight without asking the ERP; lateness is valid for one day."""
        found, now = self._known.get(key), self._now()
        if found is None or now - found[0] > self._fresh or now.date() != found[0].date():
            return None
        return found[1]

    async def _find(self, key: str, document: ErpRecord) -> Insight:
        if not isinstance(document, PurchaseOrder):
            return _NOTHING_FOUND  # what helps to decide other kinds is not looked for yet
        evidence = await collect(self._records(document.source), document, seconds=self._seconds)
        insight = analyse(document, evidence, self._now().date(), self._marks)
        if not insight.missing:
            self._known[key] = (self._now(), insight)
        return insight


async def collect(records: SourceClient, order: PurchaseOrder, *, seconds: float) -> InsightData:
    """Read what `analyse` needs, concurrently where possible; the result lacks reads that fail or time out."""
    reading = _Collector(records, asyncio.get_running_loop().time() + seconds)
    skus = tuple(dict.fromkeys(line.sku for line in order.lines if line.sku))[:MAX_LINES]
    await asyncio.gather(
        reading.bounded(MissingInsight.HISTORY, reading.history, order),
        *(reading.bounded(MissingInsight.STOCK, reading.stock, sku) for sku in skus),
    )
    return InsightData(
        listed=reading.listed,
        read=tuple(reading.orders[other.number] for other in reading.listed if other.number in reading.orders),
        stock=MappingProxyType(reading.levels),
        missing=frozenset(reading.missing),
    )


class _Collector:
    """Collects what has been read until a deadline on the event loop's clock."""

    def __init__(self, records: SourceClient, until: float) -> None:
        self._records = records
        self._until = until
        self.listed: tuple[PurchaseOrder, ...] = ()
        self.orders: dict[str, PurchaseOrder] = {}
        self.levels: dict[str, StockLevel] = {}
        self.missing: set[MissingInsight] = set()

    async def bounded(self, what: MissingInsight, read: Callable[[T], Awaitable[None]], about: T) -> None:
        """Read until the deadline. The read is made here: cancelled before it begins, nothing waits unawaited."""
        try:
            async with asyncio.timeout_at(self._until):
                await read(about)
        except Unsupported:
            # This ERP never provides it: not worth a line on the card, and the rest is worth caching.
            log.debug("approvals.insight_unsupported", what=what.value)
        except (ErpError, TimeoutError) as error:
            self.missing.add(what)
            log.info("approvals.insight_missing", what=what.value, error=type(error).__name__)

    async def stock(self, sku: str) -> None:
        self.levels[sku] = await self._records.stock(sku)

    async def history(self, order: PurchaseOrder) -> None:
        self.listed = tuple(other for other in await _of_vendor(self._records, order) if other.number != order.number)
        numbers = [other.number for other in self.listed[:MAX_READ]]
        await asyncio.gather(*(self.bounded(MissingInsight.HISTORY, self._order, number) for number in numbers))

    async def _order(self, number: str) -> None:
        self.orders[number] = await self._records.purchase_order(number)


async def _of_vendor(records: SourceClient, order: PurchaseOrder) -> tuple[PurchaseOrder, ...]:
    if not order.vendor:
        return ()
    found = await records.purchase_orders(ListQuery(text=order.vendor, limit=MAX_LISTED))
    # The text may also have matched a number or another vendor's longer name.
    return tuple(other for other in found.items if other.vendor == order.vendor)


def analyse(order: PurchaseOrder, evidence: InsightData, today: date, marks: InsightThresholds) -> Insight:
    """Return the insights about an order."""
    others = [other for other in evidence.read if other.number != order.number]
    awaited = [other for other in evidence.listed if other.is_open and other.due_on]
    late = [days for other in awaited if (days := other.days_late(today))]
    return Insight(
        lines=MappingProxyType(
            {line.sku: _line(line, others, evidence.stock.get(line.sku), marks) for line in order.lines if line.sku}
        ),
        lateness=SupplierLateness(awaited=len(awaited), late=len(late), days=max(late, default=0)) if awaited else None,
        open_orders=tuple(other.number for other in evidence.listed if other.is_open)[:_MAX_NUMBERS],
        duplicates=tuple(other.number for other in others if _repeats(order, other))[:_MAX_NUMBERS],
        past_due=order.due_on is not None and order.due_on < today,
        usual_currency=_other_currency(order, evidence.listed),
        missing=evidence.missing,
    )


def _line(
    line: PurchaseLine, others: Sequence[PurchaseOrder], level: StockLevel | None, marks: InsightThresholds
) -> LineInsight:
    past = [
        (other, known) for other in others for known in other.lines if (known.sku, known.unit) == (line.sku, line.unit)
    ]
    last = _last_price(line, past)
    usual = _usual(known.quantity for other, known in past if other.status in _BOUGHT)
    same_unit = level is not None and level.product.unit == line.unit
    total = level.total if level is not None and same_unit else None
    return LineInsight(
        last=last,
        at_hand=None if total is None else total.available if total.available is not None else total.on_hand,
        incoming=total.incoming if total is not None else None,
        usual=usual if usual is not None and line.quantity > usual * marks.quantity else None,
    )


def _last_price(line: PurchaseLine, past: Sequence[tuple[PurchaseOrder, PurchaseLine]]) -> LastPrice | None:
    paid = [(other, known.price) for other, known in past if other.status in _BOUGHT and known.price is not None]
    if not paid:
        return None
    order, price = max(paid, key=lambda pair: (pair[0].ordered_on or date.min, pair[0].number))
    assert price is not None, "only known prices were chosen"
    return LastPrice(price=price, on=order.ordered_on, number=order.number, drift=_drift(line.price, price))


def _drift(now: Money | None, then: Money) -> Decimal | None:
    if now is None or now.currency != then.currency or not then.amount:
        return None
    return ((now.amount / then.amount - _WHOLE) * 100).quantize(_TENTH, ROUND_HALF_UP)


def _usual(quantities: Iterable[Decimal]) -> Decimal | None:
    known = list(quantities)
    return median(known) if len(known) >= _USUAL_FROM else None


def _repeats(order: PurchaseOrder, other: PurchaseOrder) -> bool:
    """Return whether the other order asks for the same goods at about the same time and is, or may become, open."""
    is_open = other.is_open or other.status is ReviewState.WAITING
    if not order.lines or not is_open or _wanted(order) != _wanted(other):
        return False
    if order.ordered_on is None or other.ordered_on is None:
        return True
    return abs(order.ordered_on - other.ordered_on) <= _DUPLICATE_WINDOW


def _wanted(order: PurchaseOrder) -> Counter[tuple[str, str, Decimal]]:
    return Counter((line.sku, line.unit, line.quantity) for line in order.lines)


def _other_currency(order: PurchaseOrder, listed: Sequence[PurchaseOrder]) -> str:
    used = Counter(other.total.currency for other in listed if other.total is not None and other.status in _BOUGHT)
    if order.total is None or used.total() < _USUAL_FROM:
        return ""
    usual = used.most_common(1)[0][0]
    return usual if usual != order.total.currency else ""
