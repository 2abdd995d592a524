"""Daily stock of products in the bot's database; the figures are sealed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, delete, func, select
from sqlalchemy.engine import Connection

from bot.erp.index.folding import key_of
from bot.read_model.stock_days import SeenStock, StockDay
from bot.store.database import Stored
from bot.store.statements import chunks, replace_into
from bot.store.tables import STOCK_DAY

_S = STOCK_DAY.c
_Figures = dict[tuple[str, str], dict[str, Decimal]]
"""Source and product → warehouse → stock."""


class StoredStockDays(Stored):
    """Stores stock days. Raises `bot.store.errors.StoreUnavailable`."""

    async def keep(self, seen: Sequence[SeenStock]) -> None:
        def keep(connection: Connection) -> None:
            rows = list(_changed(seen, _latest(connection, {key_of(each.sku) for each in seen})))
            if rows:
                connection.execute(replace_into(STOCK_DAY, connection.dialect.name), rows)

        await self._database.run(keep)

    async def forget(self, before: date) -> None:
        newer = STOCK_DAY.alias("newer")
        same = (newer.c.source == _S.source, newer.c.sku == _S.sku, newer.c.warehouse == _S.warehouse)
        is_followed = select(newer.c.day).where(*same, newer.c.day > _S.day, newer.c.day <= before.toordinal()).exists()
        old = delete(STOCK_DAY).where(_S.day < before.toordinal(), is_followed)
        await self._database.execute(old)

    async def days_of(self, sources: Collection[str], sku: str) -> Sequence[StockDay]:
        wanted = (
            select(STOCK_DAY)
            .where(_S.source.in_(sorted(sources)), _S.sku == key_of(sku))
            .order_by(_S.day, _S.source, _S.warehouse)
        )
        rows = await self._database.read(lambda connection: connection.execute(wanted).all())
        return [
            StockDay(
                source=row.source,
                warehouse=row.warehouse,
                day=date.fromordinal(row.day),
                on_hand=Decimal(row.on_hand),
            )
            for row in rows
        ]


def _latest(connection: Connection, skus: Collection[str]) -> _Figures:
    """Return the last figure of each place with one of these products."""
    found: _Figures = {}
    for some in chunks(skus):
        newest = (
            select(_S.source, _S.sku, _S.warehouse, func.max(_S.day).label("day"))
            .where(_S.sku.in_(some))
            .group_by(_S.source, _S.sku, _S.warehouse)
            .subquery()
        )
        same = and_(*(newest.c[name] == _S[name] for name in ("source", "sku", "warehouse", "day")))
        rows = connection.execute(select(STOCK_DAY).select_from(STOCK_DAY.join(newest, same)))
        for row in rows:
            found.setdefault((row.source, row.sku), {})[row.warehouse] = Decimal(row.on_hand)
    return found


def _changed(seen: Iterable[SeenStock], latest: _Figures) -> Iterator[dict[str, Any]]:
    for each in seen:
        sku = key_of(each.sku)
        known = latest.get((each.source, sku), {})
        left = {warehouse: Decimal() for warehouse in known if warehouse not in each.places}
        for warehouse, on_hand in (left | dict(each.places)).items():
            if known.get(warehouse) != on_hand:
                yield {
                    "source": each.source,
                    "sku": sku,
                    "warehouse": warehouse,
                    "day": each.day.toordinal(),
                    "on_hand": str(on_hand),
                }
