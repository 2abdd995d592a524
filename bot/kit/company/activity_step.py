"""Shared by all activities of the demo company: the moment, the random source, and the stock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from random import Random
from types import MappingProxyType
from typing import Any

from sqlalchemy import Row, Table, bindparam, func, select, update
from sqlalchemy.engine import Connection

from bot.erp.model import Area, Followed
from bot.kit.company import tables as t
from bot.kit.company.catalogue import MADE_TO_ORDER, Article, articles
from bot.kit.company.decisions import note_change
from bot.kit.company.tables import fold

PINNED = frozenset({"SKU123", "SO-1001", "INV-7", "PO-1001", "PO-1002", "PO-1003", "PO-1004", "MO-1"})
"""Documents used in the documentation, which stay unchanged."""
PINNED_KEYS = frozenset(map(fold, PINNED))

PRODUCT, STOCK = t.table(t.ProductRow), t.table(t.StockRow)

# Statements that every step runs many times are built once: building one takes longer than running it.
_PLACES = select(STOCK).where(STOCK.c.sku_key == bindparam("sku_key")).order_by(STOCK.c.warehouse)
_REORDER_POINT = select(PRODUCT.c.reorder_point).where(PRODUCT.c.sku_key == bindparam("sku_key"))
_ALL_PLACES = select(STOCK).order_by(STOCK.c.sku_key, STOCK.c.warehouse)
_ALL_REORDER_POINTS = select(PRODUCT.c.sku_key, PRODUCT.c.reorder_point)
_PUT = (
    update(STOCK)
    .where(STOCK.c.sku_key == bindparam("of"), STOCK.c.warehouse == bindparam("at"))
    .values({name: bindparam(name) for name in ("on_hand", "outgoing", "incoming", "reserved")})
)


@dataclass(frozen=True, slots=True)
class ActivityStep:
    """One step; everything in it happens at ``now``."""

    connection: Connection
    rng: Random
    now: datetime
    today: date

    def happens(self, chance: float) -> bool:
        """Return true with this probability."""
        return self.rng.random() < chance

    def record_change(self, area: Followed, key: str) -> None:
        """Add a record to the ERP's list of changes."""
        note_change(self.connection, area, key, self.now)

    def next_number(self, table: Table, prefix: str, first: int) -> str:
        """Return the number of the next document: their count, because documents are never deleted."""
        count = self.connection.scalar(select(func.count()).select_from(table)) or 0
        return f"{prefix}-{first + count}"


@dataclass(frozen=True, slots=True)
class StockedProduct:
    """One product: its article, and its stock and commitments in each warehouse."""

    article: Article
    reorder_point: Decimal | None
    places: Sequence[Row[Any]]

    @property
    def sku(self) -> str:
        """Its code."""
        return self.article.product.sku

    @property
    def available(self) -> Decimal:
        """The quantity that can still be promised."""
        return sum((place.on_hand - place.reserved for place in self.places), Decimal(0))

    @property
    def reserved(self) -> Decimal:
        """The stock reserved for customers."""
        return sum((place.reserved for place in self.places), Decimal(0))

    @property
    def incoming(self) -> Decimal:
        """The quantity on its way."""
        return sum((place.incoming for place in self.places), Decimal(0))

    @property
    def is_low(self) -> bool:
        """Whether it is below its reorder point."""
        return self.reorder_point is not None and self.available < self.reorder_point


@lru_cache(maxsize=1)
def known_articles() -> MappingProxyType[str, Article]:
    """Return the catalogue by folded code."""
    return MappingProxyType({fold(article.product.sku): article for article in articles()})


@lru_cache(maxsize=1)
def changing_articles() -> MappingProxyType[str, Article]:
    """Return the articles whose stock may change, by folded code."""
    return MappingProxyType(
        {
            key: article
            for key, article in known_articles().items()
            if key not in PINNED_KEYS and article.product.sku != MADE_TO_ORDER
        }
    )


def stocked_product(step: ActivityStep, sku: str) -> StockedProduct:
    """Return a product's stock."""
    key = fold(sku)
    places = step.connection.execute(_PLACES, {"sku_key": key}).all()
    reorder_point = step.connection.scalar(_REORDER_POINT, {"sku_key": key})
    return StockedProduct(known_articles()[key], reorder_point, places)


def stocked_products(step: ActivityStep) -> Iterator[StockedProduct]:
    """Yield the stock of all products that may change, in the order of the catalogue."""
    points = {row.sku_key: row.reorder_point for row in step.connection.execute(_ALL_REORDER_POINTS)}
    places: dict[str, list[Row[Any]]] = {}
    for row in step.connection.execute(_ALL_PLACES):
        places.setdefault(row.sku_key, []).append(row)
    for key, article in changing_articles().items():
        if key in places:
            yield StockedProduct(article, points.get(key), places[key])


def adjust_stock(step: ActivityStep, place: Row[Any], **change: Decimal) -> None:
    """Change the figures of one place. Stock that is owed is reserved, and no other."""
    on_hand = place.on_hand + change.get("on_hand", 0)
    outgoing = place.outgoing + change.get("outgoing", 0)
    incoming = place.incoming + change.get("incoming", 0)
    assert on_hand >= 0 and outgoing >= 0 and incoming >= 0, "the company never has less than nothing"  # noqa: PT018
    figures = {
        "on_hand": on_hand,
        "outgoing": outgoing,
        "incoming": incoming,
        "reserved": min(on_hand, outgoing),
    }
    step.connection.execute(_PUT, {"of": place.sku_key, "at": place.warehouse, **figures})
    step.record_change(Area.STOCK, known_articles()[place.sku_key].product.sku)


def allocate(figure: str, places: Sequence[Row[Any]], quantity: Decimal) -> Iterator[tuple[Row[Any], Decimal]]:
    """Yield places that together hold ``quantity`` of a figure, with each one's share."""
    left = quantity
    for place in places:
        has = place.on_hand - place.reserved if figure == "available" else getattr(place, figure)
        share = min(left, has)
        if share > 0:
            yield place, share
        left -= share


def is_one_in(number: str, count: int) -> bool:
    """Return whether a document is one in so many, to which something happens that the others are spared."""
    return int(number.rpartition("-")[2]) % count == 0
