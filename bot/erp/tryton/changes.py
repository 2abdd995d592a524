"""Changes since a cursor, by the time of change, which is all that Tryton records.

Docs: platform/erp/tryton.md#changes
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.erp.concurrency import gather_or_cancel
from bot.erp.following import StreamPage, follow, latest
from bot.erp.model import Area, Changes, Feed, Followed
from bot.erp.tryton import partners
from bot.erp.tryton.client import Account, Domain, Row, at, some
from bot.erp.tryton.documents import CHANGED, changed_at, number_of
from bot.erp.tryton.query import BILLS, CASH, PAYMENTS

_OVERLAP = timedelta(seconds=60)
"""How long a transaction may take: its records carry its start time but become visible when it ends."""

_OLDEST_FIRST = [[CHANGED, "ASC"], ["id", "ASC"]]


@dataclass(frozen=True, slots=True)
class _ChangeSource:
    """A model to follow, and which record of the area each of its changes concerns."""

    model: str
    fields: tuple[str, ...]
    keys: Callable[[Row], Iterator[str]]
    domain: Domain

    async def read(self, account: Account, since: datetime | None, count: int) -> StreamPage:
        domain = [*self.domain, *([] if since is None else [[CHANGED, ">=", since]])]
        rows = await account.search(self.model, domain, (CHANGED, *self.fields), order=_OLDEST_FIRST, limit=count)
        seen = latest((key, changed_at(row)) for row in rows for key in self.keys(row))
        return StreamPage(seen, changed_at(rows[-1]) if len(rows) == count else None)


def _number(row: Row) -> Iterator[str]:
    yield number_of(row)


def _moved_product(row: Row) -> Iterator[str]:
    if code := at(row, "product.code"):
        yield code


def _product(row: Row) -> Iterator[str]:
    # The product has the code and its template the name: the later of the two changes counts.
    if row["code"] and changed_at(row) >= changed_at(row, f"template.{CHANGED}"):
        yield row["code"]


def _template(row: Row) -> Iterator[str]:
    for product in some(row, "products"):
        if product["code"] and changed_at(product) < changed_at(row):
            yield product["code"]


def _paid(row: Row) -> Iterator[str]:
    yield partners.payment_number(row)


def _moved_payments(row: Row) -> Iterator[str]:
    # To post a move gives it a number, and leaves its lines as they are.
    yield from partners.payment_numbers(row)


_OF_PARTNERS = ("lines.party", "lines.account.type.receivable", "lines.account.type.payable")
_SOURCES: Mapping[Followed, tuple[_ChangeSource, ...]] = {
    Area.PRODUCTS: (
        _ChangeSource("product.product", ("code", f"template.{CHANGED}"), _product, []),
        _ChangeSource("product.template", ("products.code", f"products.{CHANGED}"), _template, []),
    ),
    Area.STOCK: (_ChangeSource("stock.move", ("product.code",), _moved_product, []),),
    Area.SALES: (_ChangeSource("sale.sale", ("number",), _number, []),),
    Area.FINANCE: (_ChangeSource("account.invoice", ("number",), _number, [["type", "=", "out"]]),),
    Area.PURCHASING: (_ChangeSource("purchase.purchase", ("number",), _number, []),),
    Area.PRODUCTION: (_ChangeSource("production", ("number",), _number, []),),
    Feed.BILLS: (_ChangeSource("account.invoice", ("number",), _number, BILLS.domain),),
    Feed.DELIVERIES: (_ChangeSource("stock.shipment.out", ("number",), _number, []),),
    Feed.PAYMENTS: (
        _ChangeSource(
            PAYMENTS.model, ("move.number", *(f"move.{name}" for name in _OF_PARTNERS)), _paid, PAYMENTS.domain
        ),
        _ChangeSource("account.move", ("number", *_OF_PARTNERS), _moved_payments, [["journal.type", "in", CASH]]),
    ),
}


async def read_changes(account: Account, area: Followed, cursor: str, *, limit: int) -> Changes:
    """Return the next changes of an area, as `bot.erp.port.Erp.changed_since` does."""

    async def read(since: datetime | None, count: int) -> list[StreamPage]:
        return await gather_or_cancel(*(source.read(account, since, count) for source in _SOURCES[area]))

    return await follow(area, cursor, limit=limit, overlap=_OVERLAP, read=read)
