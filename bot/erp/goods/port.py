"""What an adapter may offer about goods besides `bot.erp.port.Erp`; its capabilities say which parts.

All calls may raise the classes of `bot.erp.errors` and nothing else, and may be repeated freely.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol, runtime_checkable

from bot.erp.model import Slice
from bot.erp.model.goods import Arrival, Prices, ProductDetails, Shortage, WarehouseContents

LAST_PRICES = 5
"""The most sales, and the most purchases, that `GoodsReader.prices` returns."""


MOST_USES = 40
"""The most products in ``used_in`` of what `GoodsReader.product` returns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalQuery:
    """A request for part of what is on its way, due first; without a due date last, ties by document and product.

    ``sku`` names one product; ``vendor`` is part of the name of a vendor, ignoring case, from whom nothing is that the
    company makes. ``since`` and ``until`` are the first and the last due date; late arrivals are included unless
    ``since`` leaves them out.
    """

    sku: str = ""
    vendor: str = ""
    since: date | None = None
    until: date | None = None
    offset: int = 0
    limit: int = 20

    def covers(self, due_on: date | None) -> bool:
        """Return whether goods that are due then are asked for; without a due date only where no days are."""
        if due_on is None:
            return self.since is None and self.until is None
        return (self.since is None or due_on >= self.since) and (self.until is None or due_on <= self.until)

    def wants(self, arrival: Arrival) -> bool:
        """Return whether goods have the vendor and the days that are asked for."""
        return self.vendor.casefold() in arrival.partner.casefold() and self.covers(arrival.due_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortageQuery:
    """A request for part of what is short: for open documents first, then by product and warehouse.

    ``warehouse`` is a code or name and restricts the request to that warehouse.
    """

    warehouse: str = ""
    offset: int = 0
    limit: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseQuery:
    """A request for part of the stock of a warehouse: ``warehouse`` is its code, its name, or part of the name.

    ``text`` is part of the code, name or spec of products.
    """

    warehouse: str
    text: str = ""
    offset: int = 0
    limit: int = 20


@runtime_checkable
class GoodsReader(Protocol):
    """Reads about goods. Codes, numbers and names are compared ignoring case."""

    async def product(self, sku: str) -> ProductDetails:
        """Return the master data of a product; raises `NotFound`."""
        ...

    async def prices(self, sku: str, *, customer: str) -> Prices:
        """Return what a product costs, with at most `LAST_PRICES` of each kind; raises `NotFound`.

        ``customer`` is part of the name of the buyer, empty for all.
        """
        ...

    async def arrivals(self, query: ArrivalQuery) -> Slice[Arrival]:
        """Return goods on their way; an unknown product has none."""
        ...

    async def shortages(self, query: ShortageQuery) -> Slice[Shortage]:
        """Return what is short; raises `NotFound` for no such warehouse."""
        ...

    async def warehouse_stock(self, query: WarehouseQuery) -> WarehouseContents:
        """Return the stock of a warehouse; raises `NotFound`, and `Ambiguous` where the name fits several."""
        ...
