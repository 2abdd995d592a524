"""A source with products that tests rename, remove and stop, and that counts what it is asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bot.erp import listing
from bot.erp.cursor import TimeCursor
from bot.erp.errors import NotFound
from bot.erp.model import Area, Change, Changes, Product, Quantities, StockLevel
from bot.erp.port import Capability

START = datetime(2026, 11, 24, 8, tzinfo=UTC)


def screw(sku: str, name: str = "螺丝", **more: str) -> Product:
    return Product(sku=sku, name=name, unit="个", **more)


class Clock:
    """Only tests move it."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    def advance(self, **span: float) -> None:
        self.time += timedelta(**span)


class MutableCatalogue:
    """Tells changes by their time alone, as most ERPs do, so that equal times are the rule."""

    capabilities = frozenset({Capability.STOCK, Capability.CHANGED_SINCE})

    def __init__(self, name: str, clock: Clock, products: Iterable[Product] = ()) -> None:
        self.name = name
        self.clock = clock
        self.products: dict[str, Product] = {}
        self.times: dict[str, datetime] = {}
        self.asked: list[str] = []
        self.error: Exception | None = None
        self.error_after: int | None = None
        """How many more calls are answered before ``error``; None: it is not raised."""
        self.save(*products)

    def save(self, *products: Product) -> None:
        for product in products:
            self.products[product.sku] = product
            self.times[product.sku] = self.clock.now()

    def rename(self, sku: str, name: str) -> None:
        self.save(replace(self.products[sku], name=name))

    def close_down(self, sku: str) -> None:
        """Archive a product: it is told as a change and found no more."""
        del self.products[sku]
        self.times[sku] = self.clock.now()

    def delete(self, sku: str) -> None:
        """Delete a product: nothing tells it."""
        del self.products[sku], self.times[sku]

    def fail(self, error: Exception, *, after: int = 0) -> None:
        self.error, self.error_after = error, after

    def mend(self) -> None:
        self.error_after = None

    async def find_products(self, text: str, *, limit: int) -> tuple[Product, ...]:
        self._called(f"find {text}")
        return listing.find_products(self.products.values(), text, limit=limit)

    async def changed_since(self, area: Area, cursor: str, *, limit: int) -> Changes:
        self._called("changes")
        at = TimeCursor.parse(cursor)
        since = at.since() or START - timedelta(days=9_000)
        rows = sorted((time, sku) for sku, time in self.times.items() if time >= since)
        changes = [Change(area=area, key=sku, changed_at=time) for time, sku in rows[: at.fetch_size(limit)]]
        return at.next_changes(area, changes, limit=limit)

    async def stock(self, sku: str) -> StockLevel:
        self._called(f"stock {sku}")
        product = next((one for one in self.products.values() if one.sku.casefold() == sku.casefold()), None)
        if product is None:
            raise NotFound(sku, source=self.name)
        return StockLevel(
            product=product,
            total=Quantities(on_hand=Decimal(5)),
            per_warehouse=(),
            reorder_point=None,
            as_of=self.clock.now(),
        )

    async def close(self) -> None:
        pass

    def _called(self, what: str) -> None:
        self.asked.append(what)
        if self.error_after is not None and self.error is not None:
            if self.error_after == 0:
                raise self.error
            self.error_after -= 1
