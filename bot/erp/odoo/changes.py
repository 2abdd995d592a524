"""Changes in Odoo by ``write_date``, which shows whole seconds but is sorted with its fractions.

Docs: platform/erp/odoo.md#changes
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.erp.following import StreamPage, follow, latest
from bot.erp.kinds import FOLLOWED
from bot.erp.model import Area, Changes, Followed
from bot.erp.odoo import mapping
from bot.erp.odoo.client import OdooClient
from bot.erp.odoo.mapping import Row
from bot.erp.odoo.plans import PLANS
from bot.erp.odoo.query import Condition, OdooTerms, timestamp
from bot.erp.odoo.reads import ALSO_DISABLED, OdooPlan, OdooReads

_OVERLAP = timedelta(minutes=2)
"""``write_date`` is the start of the transaction, so a long transaction appears with a time already read."""


@dataclass(frozen=True, slots=True)
class ChangeSource:
    """Where to find what changed."""

    model: str
    key: str = "name"
    where: Callable[[OdooTerms], Condition] = lambda _: []
    shared: bool = False
    """Whether some records belong to no company."""
    context: Mapping[str, Any] | None = None


def _source_of(plan: OdooPlan) -> ChangeSource:
    return ChangeSource(plan.model, plan.number, plan.followed or plan.where)


_FOLLOWED: Mapping[Followed, ChangeSource] = {
    # Archived products too: archiving a product is a change.
    Area.PRODUCTS: ChangeSource("product.product", "default_code", shared=True, context=ALSO_DISABLED),
    # Not the quants: an empty quant is deleted, and its ``write_date`` with it.
    Area.STOCK: ChangeSource("stock.move", "product_id"),
    **{kind.followed: _source_of(PLANS[kind]) for kind in FOLLOWED},
}


async def read_changes(reads: OdooReads, area: Followed, cursor: str, *, limit: int) -> Changes:
    """Return the next changes of an area, as `bot.erp.port.Erp.changed_since` does."""
    source = _FOLLOWED[area]

    async def read(since: datetime | None, count: int) -> list[StreamPage]:
        terms = await reads.terms(source.model)  # raises `Unsupported` where the app is not installed
        domain = [*source.where(terms), *reads.of_company(shared=source.shared)]
        rows = await reads.client.search(
            source.model,
            [*domain, ["write_date", ">=", timestamp(since)]] if since else domain,
            [source.key, "write_date"],
            order="write_date asc, id asc",
            limit=count,
            context=source.context,
        )
        keys = await _keys(reads.client, source, rows)
        times = [mapping.moment(row.get("write_date")) for row in rows]
        changes = ((key, at) for key, at in zip(keys, times, strict=True) if key is not None)
        return [StreamPage(latest(changes), times[-1] if len(rows) == count else None)]

    return await follow(area, cursor, limit=limit, overlap=_OVERLAP, read=read)


async def _keys(client: OdooClient, source: ChangeSource, rows: Sequence[Row]) -> list[str | None]:
    """Return the key of each row: a document number or the product's code; for a move, the code of its product."""
    if source.key == "name":
        return [mapping.number_of(row) for row in rows]
    if source.key == "default_code":
        return [mapping.sku_of(row) for row in rows]
    moved = [mapping.reference(row.get("product_id")) or 0 for row in rows]
    ids = {*moved} - {0}
    products = await client.read("product.product", ids, ("default_code",)) if ids else {}
    return [mapping.sku_of(products[key]) if key in products else None for key in moved]
