"""Daily stock per warehouse, recorded from the stock that polling reads anyway.

ERPs report only current stock. A figure is stored for each day on which it changed; it holds until the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

import structlog

from bot.erp.model import Quantity, StockLevel
from bot.words.errors import DingerpError

log = structlog.get_logger(__name__)

PAUSE = 60.0
"""Seconds for which figures are collected before they are stored together."""
MOST_WAITING = 10_000
"""The maximum of products with waiting figures while the store does not answer; others come with the next reading."""
ALL_TOGETHER = ""
"""Stands for the warehouse if an ERP gives one figure for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenStock:
    """The stock of a product on a day, by warehouse code."""

    source: str
    sku: str
    day: date
    places: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class StockDay:
    """The stock in a warehouse from a day on, until the next figure."""

    source: str
    warehouse: str
    day: date
    on_hand: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class StockOfDay:
    """The stock at the end of some days, both ends included; the latest figure if they include today."""

    first: date
    last: date
    on_hand: Quantity


class StockDayStore(Protocol):
    """Stores the figures. All methods raise a `DingerpError` when the store does not answer."""

    async def keep(self, seen: Sequence[SeenStock]) -> None:
        """Store changes since the last figures; a warehouse no longer named is empty."""
        ...

    async def forget(self, before: date) -> None:
        """Drop figures of earlier days, except those still valid on ``before``."""
        ...

    async def days_of(self, sources: Collection[str], sku: str) -> Sequence[StockDay]:
        """Return all figures of a product at some sources, the oldest first."""
        ...


class StockHistory:
    """Records stock as it is seen, and returns it day by day."""

    def __init__(self, store: StockDayStore, *, now: Callable[[], datetime], keep: timedelta) -> None:
        """``now`` is in the company's zone. With a zero ``keep`` nothing is recorded."""
        self._store = store
        self._now = now
        self._keep = keep
        self._waiting: dict[tuple[str, str], SeenStock] = {}
        self._tidied: date | None = None

    def note(self, source: str, level: StockLevel) -> None:
        """Record a product's current stock at its source; the last figure of a day counts."""
        key = (source, level.product.sku)
        places = places_of(level)
        if not self._keep or not places or (key not in self._waiting and len(self._waiting) >= MOST_WAITING):
            return
        self._waiting[key] = SeenStock(source=source, sku=level.product.sku, day=self._now().date(), places=places)

    async def run(self, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Store recorded figures while the bot runs."""
        while True:
            await sleep(PAUSE)
            await self.store()

    async def store(self) -> None:
        """Store recorded figures; what cannot be stored waits for the next time."""
        seen, today = list(self._waiting.values()), self._now().date()
        try:
            if seen:
                await self._store.keep(seen)
            if self._tidied != today:
                await self._store.forget(today - self._keep)
                self._tidied = today
        except DingerpError as error:
            log.warning("stock_days.not_kept", error=type(error).__name__)
            return
        # Figures seen meanwhile are newer.
        for each in seen:
            if self._waiting.get((each.source, each.sku)) is each:
                del self._waiting[each.source, each.sku]

    async def days_of(self, sources: Collection[str], sku: str) -> Sequence[StockDay]:
        """Return all figures of a product at some sources, the oldest first."""
        return await self._store.days_of(sources, sku)


def places_of(level: StockLevel) -> dict[str, Decimal]:
    """Return the stock by warehouse code; empty if the ERP does not tell."""
    if not level.per_warehouse:
        return {} if level.total.on_hand is None else {ALL_TOGETHER: level.total.on_hand}
    return {
        place.code: place.quantities.on_hand for place in level.per_warehouse if place.quantities.on_hand is not None
    }


def first_known(days: Iterable[StockDay]) -> date | None:
    """Return the first day with figures."""
    return min((each.day for each in days), default=None)


def sum_up(
    days: Sequence[StockDay], warehouses: Collection[str], spans: Iterable[tuple[date, date]]
) -> tuple[StockOfDay, ...]:
    """Return the joint stock of some warehouses at the end of each span, from the first known figure on.

    ``days`` are in order.
    """
    shown = [each for each in days if each.warehouse in warehouses]
    found: list[StockOfDay] = []
    latest: dict[tuple[str, str], Decimal] = {}
    place = 0
    for first, last in spans:
        while place < len(shown) and shown[place].day <= last:
            latest[shown[place].source, shown[place].warehouse] = shown[place].on_hand
            place += 1
        if latest:
            found.append(StockOfDay(first=first, last=last, on_hand=sum(latest.values(), Decimal())))
    return tuple(found)
