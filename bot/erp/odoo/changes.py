"""What changed in an Odoo, by ``write_date``: told to the second, ordered by parts of it.

Docs: platform/erp/odoo.md#changes
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bot.erp.cursor import TimeCursor
from bot.erp.model import Area, Change, Changes
from bot.erp.odoo import mapping, query
from bot.erp.odoo.client import OdooClient, Row
from bot.erp.odoo.query import Condition

_OVERLAP = timedelta(minutes=2)
"""``write_date`` is when a transaction began: what takes long appears with a time that has passed already."""
_MOST = 64_000
"""Changes that are read at once at most."""


@dataclass(frozen=True, slots=True)
class ChangeSource:
    """Where an area's changes are found."""

    model: str
    key: str = "name"
    base: Condition = field(default_factory=list)
    shared: bool = False
    """Whether there are records of no company."""
    context: Mapping[str, Any] | None = None


_FOLLOWED: Mapping[Area, ChangeSource] = {
    # Archived products too: that one was put away is a change.
    Area.PRODUCTS: ChangeSource("product.product", "default_code", shared=True, context={"active_test": False}),
    # Not the quants: one that runs empty is deleted, and its time with it.
    Area.STOCK: ChangeSource("stock.move", "product_id"),
    Area.SALES: ChangeSource(query.SALES_ORDERS.model),
    Area.FINANCE: ChangeSource(query.INVOICES.model, base=query.INVOICES.base),
    Area.PURCHASING: ChangeSource(query.PURCHASE_ORDERS.model),
    Area.PRODUCTION: ChangeSource(query.PRODUCTION_ORDERS.model),
}


async def read_changes(client: OdooClient, area: Area, cursor: str, *, limit: int, company: int | None) -> Changes:
    """Return the next changes of an area, as `bot.erp.port.Erp.changed_since` does."""
    at, followed = TimeCursor.parse(cursor), _FOLLOWED[area]
    domain = [*followed.base, *query.of_company(company, shared=followed.shared)]
    since = at.since(_OVERLAP)
    if since is not None:
        domain.append(["write_date", ">=", query.timestamp(since)])
    await client.fields(followed.model)  # says so where the app is not installed
    need = size = at.fetch_size(limit)
    while True:
        # One question without an offset: between two pages, records that change would move on to the end.
        rows = await client.search(
            followed.model,
            domain,
            [followed.key, "write_date"],
            order="write_date asc, id asc",
            limit=size,
            context=followed.context,
        )
        found = {(_mark(row, followed), row.get("write_date")): row for row in rows}
        if len(found) >= need or len(rows) < size or size >= _MOST:
            break
        size = min(size * 4, _MOST)
    changes = await _as_changes(client, area, followed, list(found.values()))
    return at.next_changes(area, changes, limit=limit, overlap=_OVERLAP, more=len(rows) == size)


def _mark(row: Row, followed: ChangeSource) -> int | None:
    """Return what tells changes at one time apart: many moves of one product are one change."""
    return mapping.reference(row.get("product_id")) if followed.key == "product_id" else row["id"]


async def _as_changes(client: OdooClient, area: Area, followed: ChangeSource, rows: list[Row]) -> list[Change]:
    products: Mapping[int, Row] = {}
    if followed.key == "product_id":
        ids = {mapping.reference(row.get("product_id")) or 0 for row in rows} - {0}
        products = await client.read("product.product", ids, ("default_code",)) if ids else {}
    changes: list[Change] = []
    for row in rows:
        changed_at = mapping.moment(row.get("write_date"))
        told = products.get(mapping.reference(row.get("product_id")) or 0) if followed.key == "product_id" else row
        if changed_at is not None and told is not None:
            key = mapping.number_of(told) if followed.key == "name" else mapping.sku_of(told)
            changes.append(Change(area=area, key=key, changed_at=changed_at))
    return changes
