"""What changed since a cursor: Tryton keeps a time of change on every record, and nothing else.

Docs: platform/erp/tryton.md#changes
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.erp.cursor import TimeCursor
from bot.erp.model import Area, Change, Changes
from bot.erp.tryton.client import Account, Domain, Row, at, some
from bot.erp.tryton.documents import CHANGED, changed_at, number_of

_OVERLAP = timedelta(seconds=60)
"""How long a transaction may take: its records bear the time at which it began, and are seen when it ends."""

_OLDEST_FIRST = [[CHANGED, "ASC"], ["id", "ASC"]]


@dataclass(frozen=True, slots=True)
class _ChangeSource:
    """One model to follow, and what of an area each of its changes is about."""

    model: str
    fields: tuple[str, ...]
    keys: Callable[[Row], Iterator[str]]
    domain: Domain

    async def read(self, account: Account, since: datetime | None, limit: int) -> list[Row]:
        domain = [*self.domain, *([] if since is None else [[CHANGED, ">=", since]])]
        return await account.search(self.model, domain, (CHANGED, *self.fields), order=_OLDEST_FIRST, limit=limit)


def _number(row: Row) -> Iterator[str]:
    yield number_of(row)


def _moved_product(row: Row) -> Iterator[str]:
    if code := at(row, "product.code"):
        yield code


def _product(row: Row) -> Iterator[str]:
    # A product has its code, and its template the name: what changed later of the two tells.
    if row["code"] and changed_at(row) >= changed_at(row, f"template.{CHANGED}"):
        yield row["code"]


def _template(row: Row) -> Iterator[str]:
    for product in some(row, "products"):
        if product["code"] and changed_at(product) < changed_at(row):
            yield product["code"]


_STREAMS: Mapping[Area, tuple[_ChangeSource, ...]] = {
    Area.PRODUCTS: (
        _ChangeSource("product.product", ("code", f"template.{CHANGED}"), _product, []),
        _ChangeSource("product.template", ("products.code", f"products.{CHANGED}"), _template, []),
    ),
    Area.STOCK: (_ChangeSource("stock.move", ("product.code",), _moved_product, []),),
    Area.SALES: (_ChangeSource("sale.sale", ("number",), _number, []),),
    Area.FINANCE: (_ChangeSource("account.invoice", ("number",), _number, [["type", "=", "out"]]),),
    Area.PURCHASING: (_ChangeSource("purchase.purchase", ("number",), _number, []),),
    Area.PRODUCTION: (_ChangeSource("production", ("number",), _number, []),),
}


async def read_changes(account: Account, area: Area, text: str, *, limit: int) -> Changes:
    """Return the next changes after the cursor ``text``; raises `Invalid` for one that is not ours."""
    cursor = TimeCursor.parse(text)
    wanted = size = cursor.fetch_size(limit)
    while True:
        changes, complete = await _read(account, area, cursor.since(_OVERLAP), size)
        if complete or len(changes) >= wanted:
            return cursor.next_changes(area, changes, limit=limit, overlap=_OVERLAP, more=not complete)
        # Several rows told the same thing, such as the moves of one product.
        size *= 2


async def _read(account: Account, area: Area, since: datetime | None, size: int) -> tuple[Sequence[Change], bool]:
    """Return changes in order, and whether these are all."""
    streams = _STREAMS[area]
    pages = await asyncio.gather(*(stream.read(account, since, size) for stream in streams))
    cut = [changed_at(rows[-1]) for rows in pages if len(rows) == size]
    found = {
        (changed_at(row), key)
        for stream, rows in zip(streams, pages, strict=True)
        for row in rows
        for key in stream.keys(row)
        # Beyond the end of one stream's page, the other's rows would overtake what is yet to come.
        if not cut or changed_at(row) <= min(cut)
    }
    return [Change(area=area, key=key, changed_at=when) for when, key in sorted(found)], not cut
